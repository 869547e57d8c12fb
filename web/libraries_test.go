package web_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/tests/packages"
)

var update = flag.Bool("update", false, "copy the files of the libraries from their packages")

// libraries are the files that are kept in this repository, and where in their
// npm packages they come from.
var libraries = map[string]string{
	"third_party/dompurify/LICENSE":          "dompurify/LICENSE",
	"third_party/dompurify/purify.es.mjs":    "dompurify/dist/purify.es.mjs",
	"third_party/highlight/LICENSE":          "@highlightjs/cdn-assets/LICENSE",
	"third_party/highlight/highlight.min.js": "@highlightjs/cdn-assets/es/highlight.min.js",
	"third_party/idb/LICENSE":                "idb/LICENSE",
	"third_party/idb/index.js":               "idb/build/index.js",
	"third_party/lean-qr/LICENSE":            "lean-qr/LICENSE",
	"third_party/lean-qr/nano.mjs":           "lean-qr/nano.mjs",
	"third_party/marked/LICENSE":             "marked/LICENSE",
	"third_party/marked/marked.esm.js":       "marked/lib/marked.esm.js",
	"third_party/temml/LICENSE":              "temml/LICENSE",
	"third_party/temml/temml.mjs":            "temml/dist/temml.mjs",
	"testdata/axe.min.js":                    "axe-core/axe.min.js",
}

// TestLibrariesAreTheirPackages holds the files to what npm has, whose hashes
// the lock file pins.
func TestLibrariesAreTheirPackages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from npm")
	}
	modules := packages.NPM(t, "third_party")
	for kept, source := range libraries {
		want, err := os.ReadFile(filepath.Join(modules, source))
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(kept, want, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(kept); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not %s of its package (%v): run this test with -update", kept, source, err)
		}
	}
}

func TestEveryLibraryIsListed(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("third_party/README.md")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob("third_party/*/*")
	if err != nil || len(kept) == 0 {
		t.Fatalf("no libraries: %v", err)
	}
	for _, file := range kept {
		name := filepath.ToSlash(file)
		if libraries[name] == "" {
			t.Errorf("%s is of no package", name)
		}
		if folder := "| `" + filepath.Base(filepath.Dir(file)) + "` |"; !strings.Contains(string(readme), folder) {
			t.Errorf("third_party/README.md has no line %s", folder)
		}
	}
}
