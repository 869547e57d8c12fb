package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/starttest"
)

func TestMain(m *testing.M) { starttest.Main(m, main) }

func TestStartNamesAllThatIsMissing(t *testing.T) {
	t.Parallel()
	starttest.NamesMissing(t, "QUOTA_TABLE", "REQUESTS_TABLE", "QUEUE_URL", "WEBSOCKET_API_ENDPOINT")
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
