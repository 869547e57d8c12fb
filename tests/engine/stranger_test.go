package engine_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const modulePath = "github.com/streaming-service/streaming-service"

// TestStranger uses the module as somebody who has never seen its repository:
// published to a proxy, required by a fresh module elsewhere, its functions
// built from the read-only module cache.
func TestStranger(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles a program and its functions")
	}
	proxy := t.TempDir()
	version := publish(t, proxy)
	consumer := newConsumer(t)
	environment, cached := strangersEnvironment(t, proxy, version)

	inConsumer := func(args ...string) {
		t.Helper()
		if err := run(consumer, environment, "go", args...); err != nil {
			t.Fatal(err)
		}
	}
	inConsumer("get", version.String())
	inConsumer("mod", "tidy")
	before := fingerprint(t, cached)
	inConsumer("test", "-count=1", "./...")
	previewInstalled(t, environment, version)
	if after := fingerprint(t, cached); after != before {
		t.Error("the builds changed the module cache")
	}
}

// previewInstalled installs the provider as `go install` does, with the version
// that it was asked for, and previews a program in YAML with it.
func previewInstalled(t *testing.T, environment []string, version module.Version) {
	t.Helper()
	bin := t.TempDir()
	if err := run(t.TempDir(), append(environment, "GOBIN="+bin), "go", "install", modulePath+"/cmd/"+providerName+"@"+version.Version); err != nil {
		t.Fatal(err)
	}
	engine := pulumiWithYAML(t)
	schema := cli(t, t.TempDir(), nil, "package", "get-schema", filepath.Join(bin, providerName))
	if want := strings.TrimPrefix(version.Version, "v"); !bytes.Contains(schema, []byte(want)) {
		t.Errorf("the installed provider does not say that it is of version %s", want)
	}
	environment = append(environment, "PATH="+path(bin, filepath.Join(engine, "bin")))
	variables := map[string]string{}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	s := newConsumerStack(t, "yaml", engine, variables)
	if planned := s.preview("preview"); len(planned.creates) < 60 {
		t.Errorf("the preview plans to create %v", planned.creates)
	}
}

// newConsumer makes a module that requires nothing yet.
func newConsumer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join("testdata", "stranger", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of the consumer: %v", len(files), err)
	}
	for _, file := range files {
		copyFile(t, file, filepath.Join(dir, strings.TrimSuffix(filepath.Base(file), ".txt")))
	}
	return dir
}

// publish puts the module into a directory as a GOPROXY serves it: what git
// tracks, without the modules nested in it. The version names the content.
func publish(t *testing.T, proxy string) module.Version {
	t.Helper()
	content, files := sha256.New(), moduleFiles(t)
	for _, file := range files {
		fmt.Fprintln(content, file.Path())
		content.Write(readFile(t, file.(sourceFile).path))
	}
	version := module.Version{Path: modulePath, Version: module.PseudoVersion("v0", "", time.Unix(0, 0).UTC(), hex.EncodeToString(content.Sum(nil))[:12])}
	dir := filepath.Join(proxy, filepath.FromSlash(modulePath), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Create(filepath.Join(dir, version.Version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if err := zip.Create(archive, version, files); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(root, "go.mod"), filepath.Join(dir, version.Version+".mod"))
	info := fmt.Sprintf(`{"Version":%q,"Time":"1970-01-01T00:00:00Z"}`, version.Version)
	for file, content := range map[string]string{version.Version + ".info": info, "list": "", "../@latest": info} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return version
}

// moduleFiles lists what git tracks in the module.
func moduleFiles(t *testing.T) []zip.File {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	var nested []string
	for _, name := range names {
		if dir, ok := strings.CutSuffix(name, "/go.mod"); ok {
			nested = append(nested, dir+"/")
		}
	}
	var files []zip.File
	for _, name := range names {
		path := filepath.Join(root, filepath.FromSlash(name))
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || under(name, nested) {
			continue
		}
		files = append(files, sourceFile{name, path})
	}
	return files
}

func under(name string, dirs []string) bool {
	for _, dir := range dirs {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return false
}

// sourceFile is a file of the module, by its path in it.
type sourceFile struct{ name, path string }

// Path implements zip.File.
func (f sourceFile) Path() string { return f.name }

// Lstat implements zip.File.
func (f sourceFile) Lstat() (os.FileInfo, error) { return os.Lstat(f.path) }

// Open implements zip.File.
func (f sourceFile) Open() (io.ReadCloser, error) { return os.Open(f.path) }

// strangersEnvironment has the published module come from the proxy and the
// others from where this machine gets them. What the test adds to the caches
// goes with it. It also returns where the module cache holds the module.
func strangersEnvironment(t *testing.T, proxy string, version module.Version) (environment []string, cached string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(string(out), "\n")
	cached = filepath.Join(known[1], filepath.FromSlash(version.String()))
	t.Cleanup(func() {
		removeAll(t, cached)
		removeAll(t, filepath.Join(known[1], "cache", "download", filepath.FromSlash(modulePath)))
	})
	return []string{
		"GOPROXY=file://" + filepath.ToSlash(proxy) + "," + known[0],
		"GONOSUMDB=" + modulePath,
		"GOFLAGS=",
		"GOWORK=off",
		"GOCACHE=" + known[2],
		"XDG_CACHE_HOME=" + t.TempDir(), // where the functions are built
	}, cached
}

// removeAll removes a directory of the module cache, which is read-only.
func removeAll(t *testing.T, dir string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(path, 0o755)
		}
		return err
	})
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

// fingerprint lists the files of a directory with their sizes and times.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	var list bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&list, path, info.Mode(), info.Size(), info.ModTime())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(list.String(), "\n"); lines < 100 {
		t.Fatalf("the module cache holds only %d files of the module", lines)
	}
	return list.String()
}
