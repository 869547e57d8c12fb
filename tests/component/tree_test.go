package component_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/components"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// TestResourceTree guards the identity of every resource: a change of type,
// name or parent replaces it in every deployed stack.
func TestResourceTree(t *testing.T) {
	t.Parallel()
	golden(t, "tree-default.golden", tree(declare(t, nil)))
}

func tree(r *recorder) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.resources)) {
		d := r.resources[name]
		fmt.Fprintf(&b, "%s %s < %s\n", d.Type, d.Name, d.Parent)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update and review the change):\n%s", path, diff(string(want), got))
	}
}

// diff lists the lines that only one of two texts has.
func diff(want, got string) string {
	lines := func(s string) map[string]bool {
		set := map[string]bool{}
		for line := range strings.Lines(s) {
			set[line] = true
		}
		return set
	}
	var b strings.Builder
	before, after := lines(want), lines(got)
	for line := range strings.Lines(want) {
		if !after[line] {
			b.WriteString("- " + line)
		}
	}
	for line := range strings.Lines(got) {
		if !before[line] {
			b.WriteString("+ " + line)
		}
	}
	return b.String()
}

var _ = components.Type
