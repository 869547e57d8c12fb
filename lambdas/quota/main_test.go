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
