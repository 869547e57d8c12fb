package functionbuild_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFindsSource: a program finds the source it was built from, wherever it
// runs, or says what its user can do.
func TestFindsSource(t *testing.T) {
	t.Parallel()
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "plugin")
	if err := os.Mkdir(moved, 0o755); err != nil {
		t.Fatal(err)
	}
	const found = "building function absent: "
	for _, test := range []struct {
		name, workingDir, root string
		flags                  []string
		want                   []string
	}{
		{"elsewhere", t.TempDir(), "", nil, []string{found, "lambdas/absent"}},
		{"trimmed, with the root that Pulumi tells a plugin", t.TempDir(), filepath.Join(checkout, "cmd", "pulumi-resource-streaming"), []string{"-trimpath"}, []string{found}},
		{"trimmed, in the checkout", filepath.Join(checkout, "docs"), "", []string{"-trimpath"}, []string{found}},
		{"trimmed, elsewhere", t.TempDir(), moved, []string{"-trimpath"}, []string{
			"finding the source of the functions:\n", "does not say where it was built (-trimpath)",
			"the plugin's directory: ", "not built from a published version", "the working directory: ",
			"set functionArchiveDir to a directory of prebuilt zips, or use a released plugin",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			probe := filepath.Join(t.TempDir(), "probe")
			build := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", probe}, test.flags...), "./internal/probe")...)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			command := exec.CommandContext(t.Context(), probe, test.root)
			command.Dir = test.workingDir
			out, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("got %s, want %q in it", out, want)
				}
			}
		})
	}
}

// TestWithoutGo: who has no Go toolchain learns what to do.
func TestWithoutGo(t *testing.T) {
	t.Parallel()
	probe := filepath.Join(t.TempDir(), "probe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", probe, "./internal/probe").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.CommandContext(t.Context(), probe)
	command.Dir = t.TempDir()
	command.Env = []string{"PATH=" + t.TempDir(), "HOME=" + t.TempDir()}
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "install Go, or set functionArchiveDir") {
		t.Errorf("got %s", out)
	}
}
