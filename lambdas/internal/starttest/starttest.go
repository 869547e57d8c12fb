// Package starttest starts a function in a test, as the test's own binary.
package starttest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const asFunction = "RUN_FUNCTION"

// Main lets the test binary stand in for the function, whose main it is given.
// The TestMain of the function's package calls it.
func Main(m *testing.M, function func()) {
	if os.Getenv(asFunction) != "" {
		function()
		return
	}
	os.Exit(m.Run())
}

// NamesMissing fails the test unless the function, started with an empty
// environment, exits with 1 and says of each variable that it must be set.
func NamesMissing(t *testing.T, variables ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self)
	command.Env = []string{asFunction + "=1"}
	out, err := command.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range variables {
		if !strings.Contains(string(out), name+" must be set") {
			t.Errorf("%s is not named in: %s", name, out)
		}
	}
}
