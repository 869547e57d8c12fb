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
	for _, name := range []string{"QUOTA_TABLE", "REQUESTS_TABLE", "QUEUE_URL", "WEBSOCKET_API_ENDPOINT"} {
		if !strings.Contains(string(out), name+" must be set") {
			t.Errorf("%s is not named in: %s", name, out)
		}
	}
}

// The runtime has no time zones of its own: they are linked into the binary,
// where even a root without any finds them.
func TestTimeZonesAreLinkedIn(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains("\n"+string(out), "\ntime/tzdata\n") {
		t.Error("time/tzdata is not linked in")
	}
}

func TestNoFunctionCarriesTheModel(t *testing.T) {
	t.Parallel()
	for _, function := range []string{"quota", "requests", "recovery"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../"+function).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, heavy := range []string{"service/bedrockruntime", "service/sso", "service/sts", "aws-sdk-go-v2/config"} {
			if strings.Contains(string(out), heavy) {
				t.Errorf("%s links %s", function, heavy)
			}
		}
	}
}
