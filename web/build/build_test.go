package build_test

import (
	"bytes"
	"compress/gzip"
	"maps"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/web/build"
)

// maxTransfer is what the whole page may take on its way, compressed, with
// everything that it loads later.
const maxTransfer = 250 << 10

func page(t *testing.T) map[string]build.File {
	t.Helper()
	files, err := build.Page()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestThePageIsSmall(t *testing.T) {
	t.Parallel()
	total := 0
	for name, file := range page(t) {
		size := compressed(t, file.Content)
		t.Logf("%-24s %7d bytes, %6d compressed", name, len(file.Content), size)
		total += size
	}
	t.Logf("%d bytes compressed in all", total)
	if total > maxTransfer {
		t.Errorf("the page takes %d bytes compressed, want at most %d", total, maxTransfer)
	}
}

func compressed(t *testing.T, content []byte) int {
	t.Helper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	if _, err := writer.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Len()
}

func TestNamesCarryHashesAndIndexNamesThem(t *testing.T) {
	t.Parallel()
	files := page(t)
	hashed := regexp.MustCompile(`^[a-z]+-[A-Z0-9]{8}\.(js|css|svg)$`)
	for name, file := range files {
		if name == build.Index {
			if file.CacheControl != build.Revalidate {
				t.Errorf("%s has Cache-Control %q", name, file.CacheControl)
			}
			continue
		}
		if !hashed.MatchString(name) || file.CacheControl != build.Immutable || file.ContentType == "" {
			t.Errorf("file %s of type %q with Cache-Control %q", name, file.ContentType, file.CacheControl)
		}
	}
	named := regexp.MustCompile(`(?:src|href)="([^"#]+)"`)
	for _, match := range named.FindAllStringSubmatch(string(files[build.Index].Content), -1) {
		if _, ok := files[match[1]]; !ok {
			t.Errorf("%s names %s, which there is not", build.Index, match[1])
		}
	}
}

// TestNothingIsForeign looks for addresses that a browser would fetch. Links of
// comments and namespaces are none.
func TestNothingIsForeign(t *testing.T) {
	t.Parallel()
	fetched := map[string]*regexp.Regexp{
		".css":  regexp.MustCompile(`(?i)url\(["']?(https?:)?//|@import`),
		".js":   regexp.MustCompile(`(import|fetch)\(["'](https?:)?//`),
		".html": regexp.MustCompile(`(?i)<(script|link|img)[^>]+"(https?:)?//`),
		".svg":  regexp.MustCompile(`(?i)href="`),
	}
	for name, file := range page(t) {
		if found := fetched[path.Ext(name)].Find(file.Content); found != nil {
			t.Errorf("%s fetches %s…", name, found)
		}
	}
}

// TestTheSameBytesEveryTime builds the page in processes of their own.
func TestTheSameBytesEveryTime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts programs")
	}
	var sums []string
	for range 2 {
		output, err := exec.CommandContext(t.Context(), "go", "run", "../../cmd/page", "-list").Output()
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(output))
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") != len(page(t)) {
		t.Errorf("two builds made\n%s\nand\n%s", sums[0], sums[1])
	}
}

func TestCallersCannotChangeThePage(t *testing.T) {
	t.Parallel()
	first := page(t)
	names := slices.Sorted(maps.Keys(first))
	clear(first)
	if got := slices.Sorted(maps.Keys(page(t))); !slices.Equal(got, names) {
		t.Errorf("after a caller cleared its map the page has %v, want %v", got, names)
	}
}
