package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMain lets the test binary stand in for the function.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_FUNCTION") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestStartNamesAllThatIsMissing(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self)
	command.Env = []string{"RUN_FUNCTION=1"}
	out, err := command.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"CONNECTIONS_TABLE", "QUEUE_URL", "WEBSOCKET_API_ENDPOINT", "USER_CONNECTIONS"} {
		if !strings.Contains(string(out), name+" must be set") {
			t.Errorf("%s is not named in: %s", name, out)
		}
	}
}
