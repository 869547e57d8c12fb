package component_test

import (
	"os/exec"
	"testing"
)

// TestExamples compiles the examples.
func TestExamples(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles programs")
	}
	command := exec.CommandContext(t.Context(), "go", "vet", "./examples/...")
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
