package component_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update and review the change):\n%s", path, diff.Diff("golden", want, "declared", []byte(got)))
	}
}

// goldens compares texts with the files of a folder of testdata, which holds no
// others.
func goldens(t *testing.T, folder string, texts map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		golden(t, filepath.Join(folder, name+".golden"), texts[name])
	}
	files, err := os.ReadDir(filepath.Join("testdata", folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		path := filepath.Join("testdata", folder, file.Name())
		if _, known := texts[strings.TrimSuffix(file.Name(), ".golden")]; known {
			continue
		}
		if !*update {
			t.Errorf("%s is of nothing that is declared (run with -update and review the change)", path)
		} else if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// parts takes an OpenAPI document apart: a text for each path, and one for every
// other member.
func parts(t *testing.T, document any) map[string]string {
	t.Helper()
	text, _ := document.(string)
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for name, member := range members {
		if name == "paths" {
			for path, item := range member.(map[string]any) {
				texts[strings.NewReplacer("/", "-", "{", "", "}", "").Replace("path"+path)] = indented(t, item) + "\n"
			}
			continue
		}
		texts[name] = indented(t, member) + "\n"
	}
	return texts
}

// A text whose lines only changed places must still show what differs.
func TestDiffShowsAnotherOrder(t *testing.T) {
	t.Parallel()
	shown := string(diff.Diff("golden", []byte("a\nb\nc\n"), "declared", []byte("b\na\nc\n")))
	if !strings.Contains(shown, "-a\n") || !strings.Contains(shown, "+a\n") {
		t.Errorf("the difference is shown as\n%s", shown)
	}
}
