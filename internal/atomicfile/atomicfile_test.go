package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/streaming-service/streaming-service/internal/atomicfile"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	for _, content := range []string{"first", "second, longer", "3"} {
		if err := atomicfile.Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("holds %q, %v, want %q", got, err, content)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v behind, want the file alone", entries)
	}
}

// What cannot be placed leaves everything as it was.
func TestReplaceThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Replace(path, []byte("x")); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v behind, want the directory alone", entries)
	}
	if err := atomicfile.Replace(filepath.Join(dir, "absent", "state"), nil); err == nil {
		t.Error("wrote into a directory that does not exist")
	}
}
