package functionbuild_test

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

// module writes the source of a module with two functions, one of which does
// not compile.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":                 "module example.com/functions\n\ngo 1.26\n",
		"lambdas/hello/main.go":  "package main\n\nfunc main() { println(\"hello\") }\n",
		"lambdas/broken/main.go": "package main\n\nfunc main() { undefined() }\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func build(t *testing.T, b *functionbuild.Builder, architecture string) (path string, content []byte) {
	t.Helper()
	path, err := b.Build(t.Context(), "hello", architecture)
	if err != nil {
		t.Fatal(err)
	}
	content, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, content
}

func TestBuild(t *testing.T) {
	// What the caller's environment says about the target does not matter.
	t.Setenv("GOOS", "plan9")
	t.Setenv("GOARCH", "riscv64")
	t.Setenv("GOFLAGS", "-mod=vendor")
	t.Setenv("CGO_ENABLED", "1")
	b := functionbuild.New(functionbuild.WithSource(module(t)), functionbuild.WithOutputDir(t.TempDir()))
	for architecture, machine := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "x86_64": elf.EM_X86_64} {
		_, content := build(t, b, architecture)
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" || archive.File[0].Mode() != 0o755 {
			t.Fatalf("%s: archive holds %+v, want one bootstrap with mode 0755", architecture, archive.File)
		}
		if got := archive.File[0].Modified.UTC(); !got.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: bootstrap is of %v", architecture, got)
		}
		file, err := archive.File[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		code, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		executable, err := elf.NewFile(bytes.NewReader(code))
		if err != nil {
			t.Fatal(err)
		}
		if executable.Machine != machine {
			t.Errorf("%s: executable is for %v", architecture, executable.Machine)
		}
	}
}

// TestDeterministic: the same source at another place gives the same bytes.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	_, one := build(t, functionbuild.New(functionbuild.WithSource(module(t)), functionbuild.WithOutputDir(t.TempDir())), "arm64")
	_, two := build(t, functionbuild.New(functionbuild.WithSource(module(t)), functionbuild.WithOutputDir(t.TempDir())), "arm64")
	if !bytes.Equal(one, two) {
		t.Error("two builds of one source differ")
	}
}

// TestUnchanged: a second build leaves the file alone.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	source, output := module(t), t.TempDir()
	b := functionbuild.New(functionbuild.WithSource(source), functionbuild.WithOutputDir(output))
	path, _ := build(t, b, "arm64")
	old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	again, _ := build(t, b, "arm64")
	info, err := os.Stat(again)
	if err != nil {
		t.Fatal(err)
	}
	if again != path || !info.ModTime().Equal(old) {
		t.Errorf("second build wrote %s at %v", again, info.ModTime())
	}
	changed := "package main\n\nfunc main() { println(\"changed\") }\n"
	if err := os.WriteFile(filepath.Join(source, "lambdas", "hello", "main.go"), []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	build(t, b, "arm64")
	if info, err = os.Stat(path); err != nil || info.ModTime().Equal(old) {
		t.Errorf("a change of the source left the file of %v (%v)", info.ModTime(), err)
	}
	left, err := filepath.Glob(filepath.Join(output, "*", "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "bootstrap" {
		t.Errorf("beside the zip there are %v (%v), want one bootstrap", left, err)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var events []functionbuild.Event
	b := functionbuild.New(functionbuild.WithSource(module(t)), functionbuild.WithOutputDir(t.TempDir()),
		functionbuild.WithProgress(func(e functionbuild.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		}))
	build(t, b, "arm64")
	if len(events) != 2 || events[0].Function != "hello" || events[0].Done || !events[1].Done || events[1].Elapsed <= 0 || events[1].Err != nil {
		t.Errorf("events are %+v", events)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name         string
		ctx          context.Context
		function     string
		architecture string
		want         []string
	}{
		{"does not compile", t.Context(), "broken", "arm64", []string{"building function broken: ", "lambdas/broken/main.go:3:15: undefined: undefined"}},
		{"does not exist", t.Context(), "absent", "arm64", []string{"building function absent: ", "lambdas/absent"}},
		{"architecture", t.Context(), "hello", "amd64", []string{`architecture must be arm64 or x86_64, got "amd64"`}},
		{"cancelled", cancelled, "hello", "arm64", []string{"cancel"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := functionbuild.New(functionbuild.WithSource(module(t)), functionbuild.WithOutputDir(t.TempDir()))
			_, err := b.Build(test.ctx, test.function, test.architecture)
			if err == nil || slices.ContainsFunc(test.want, func(part string) bool { return !strings.Contains(err.Error(), part) }) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if test.name == "cancelled" && !errors.Is(err, context.Canceled) {
				t.Errorf("error %v is not context.Canceled", err)
			}
		})
	}
}

// TestFindsModule: without being told, the builder finds the source of this
// module.
func TestFindsModule(t *testing.T) {
	t.Parallel()
	_, err := functionbuild.New(functionbuild.WithOutputDir(t.TempDir())).Build(t.Context(), "absent", "arm64")
	if err == nil || !strings.Contains(err.Error(), "building function absent") {
		t.Errorf("got error %v, want one about the function, not about the module", err)
	}
}

// TestForHost: what is started here is not compressed, and lies beside what is
// deployed, which is.
func TestForHost(t *testing.T) {
	t.Parallel()
	source, output := module(t), t.TempDir()
	methods := map[uint16]string{}
	for _, options := range [][]functionbuild.Option{nil, {functionbuild.ForHost()}} {
		b := functionbuild.New(append(options, functionbuild.WithSource(source), functionbuild.WithOutputDir(output))...)
		path, content := build(t, b, map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH])
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		methods[archive.File[0].Method] = path
	}
	if methods[zip.Deflate] == "" || methods[zip.Store] == "" || methods[zip.Deflate] == methods[zip.Store] {
		t.Errorf("zips by method: %v", methods)
	}
}
