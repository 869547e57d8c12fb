package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

// bench is what the rows share.
type bench struct {
	settings
	stderr io.Writer
	begun  time.Time
	dir    string                 // temporary files
	host   *functionbuild.Builder // functions for this machine
}

func newBench(s settings, stderr io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "benchmark-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	return &bench{settings: s, stderr: stderr, begun: time.Now(), dir: dir, host: functionbuild.New(functionbuild.ForHost())}, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.dir) }

// progress tells what happens, on standard error.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.stderr, "%6.1fs  %s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...))
}

// times is how often something is repeated.
func (b *bench) times(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// executable builds a function for this machine and unpacks it.
func (b *bench) executable(ctx context.Context, function string) (string, error) {
	path, err := b.host.Build(ctx, function, "")
	if err != nil {
		return "", err
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return "", fmt.Errorf("opening function %s: %w", function, err)
	}
	defer archive.Close()
	packed, err := archive.Open("bootstrap")
	if err != nil {
		return "", fmt.Errorf("opening function %s: %w", function, err)
	}
	defer packed.Close()
	executable := filepath.Join(b.dir, function)
	file, err := os.OpenFile(executable, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o700)
	if err != nil {
		return "", fmt.Errorf("unpacking function %s: %w", function, err)
	}
	if _, err = io.Copy(file, packed); err != nil { //nolint:gosec // built here a moment ago
		_ = file.Close()
		return "", fmt.Errorf("unpacking function %s: %w", function, err)
	}
	return executable, file.Close()
}
