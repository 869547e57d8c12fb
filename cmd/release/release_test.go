package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestArchiveNames(t *testing.T) {
	t.Parallel()
	r, err := parse([]string{"-version", "1.2.3-rc.1"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range r.platforms {
		names = append(names, p.archive(r.version)+" "+p.binary())
	}
	want := `pulumi-resource-streaming-v1.2.3-rc.1-linux-amd64.tar.gz pulumi-resource-streaming
pulumi-resource-streaming-v1.2.3-rc.1-linux-arm64.tar.gz pulumi-resource-streaming
pulumi-resource-streaming-v1.2.3-rc.1-darwin-amd64.tar.gz pulumi-resource-streaming
pulumi-resource-streaming-v1.2.3-rc.1-darwin-arm64.tar.gz pulumi-resource-streaming
pulumi-resource-streaming-v1.2.3-rc.1-windows-amd64.tar.gz pulumi-resource-streaming.exe
pulumi-resource-streaming-v1.2.3-rc.1-windows-arm64.tar.gz pulumi-resource-streaming.exe`
	if got := strings.Join(names, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"", "give -version, such as -version 1.2.3"},
		{"1.2.3", `unexpected argument "1.2.3"`},
		{"-version 1.2.3 -sdks go,rust", `-sdks must be of go, nodejs, python, dotnet, java, got "rust"`},
		{"-version v1.2.3", `got "v1.2.3"`},
		{"-version 1.2.3 -platforms linux", `-platforms must be pairs as linux/amd64, got "linux"`},
	} {
		if _, err := parse(strings.Fields(test.args)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %q", test.args, err, test.want)
		}
	}
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"-help", 0, help, ""},
		{"-colour", exitUsage, "", "release: flag provided but not defined: -colour (-help shows the flags)\n"},
		{"-version 1.2.3 -platforms host", exitFailed, "", "release: run it at the root of the repository\n"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), strings.Fields(test.args), &stdout, &stderr); code != test.code || stdout.String() != test.stdout || stderr.String() != test.stderr {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", test.args, code, stdout.String(), stderr.String())
		}
	}
}

// TestWhatIsDeletedIsNotTheRepository: the output directory is cleared, so it
// must not be one that holds the sources; nor is it cleared for nothing.
func TestWhatIsDeletedIsNotTheRepository(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, provider), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	for _, out := range []string{".", "..", provider, root} {
		err := (&release{dir: out}).make(t.Context())
		if err == nil || !strings.Contains(err.Error(), "-out "+out+" holds this repository") {
			t.Errorf("-out %s: %v", out, err)
		}
	}
	t.Setenv("PATH", "")
	kept := filepath.Join(root, "dist", "kept")
	if err := os.MkdirAll(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	err := (&release{dir: "dist", languages: []string{"go"}}).make(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no pulumi in PATH") {
		t.Errorf("without Pulumi's CLI: %v", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("the last release is gone: %v", err)
	}
}

// TestPack: the archive holds the binary at its top, executable, and its bytes
// do not tell when or where it was made.
func TestPack(t *testing.T) {
	t.Parallel()
	var archives [][]byte
	for range 2 {
		dir := t.TempDir()
		for _, name := range []string{"pulumi-resource-streaming", "LICENSE"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("content of "+name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, "a.tar.gz")
		if err := pack(path, filepath.Join(dir, "pulumi-resource-streaming"), filepath.Join(dir, "LICENSE")); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, content)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("equal files give unequal archives")
	}
	uncompressed, err := gzip.NewReader(bytes.NewReader(archives[0]))
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]int64{}
	for reader := tar.NewReader(uncompressed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		modes[header.Name] = header.Mode
	}
	if len(modes) != 2 || modes["pulumi-resource-streaming"] != 0o755 || modes["LICENSE"] != 0o644 {
		t.Errorf("the archive holds %v", modes)
	}
}

// TestVersion: the schema of a release is the golden one with its version.
func TestVersion(t *testing.T) {
	t.Parallel()
	golden, released := filepath.Join("..", "..", provider, "schema.json"), filepath.Join(t.TempDir(), "schema.json")
	if err := version(golden, released, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	var schemas [2]map[string]any
	for i, path := range []string{golden, released} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, &schemas[i]); err != nil {
			t.Fatal(err)
		}
	}
	schemas[0]["version"] = "1.2.3"
	if !reflect.DeepEqual(schemas[0], schemas[1]) {
		t.Error("more than the version differs")
	}
}
