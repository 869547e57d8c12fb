package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// platform is an operating system and an architecture, by Go's names, which are
// Pulumi's too.
type platform struct{ goos, goarch string }

// archives builds the provider with the functions in it for every platform and
// sums the archives up.
func (r *release) archives(ctx context.Context) error {
	if len(r.platforms) == 0 {
		return nil
	}
	if err := tool(ctx, nil, "go", "generate", "./"+provider); err != nil {
		return err
	}
	var sums strings.Builder
	for _, p := range r.platforms {
		binary := filepath.Join(r.dir, "bin", p.goos+"-"+p.goarch, p.binary())
		if err := p.build(ctx, r.version, binary); err != nil {
			return err
		}
		path := filepath.Join(r.dir, p.archive(r.version))
		if err := pack(path, binary, "LICENSE", "README.md"); err != nil {
			return fmt.Errorf("packing %s: %w", path, err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("summing up: %w", err)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), filepath.Base(path))
	}
	if err := os.WriteFile(filepath.Join(r.dir, "SHA256SUMS"), []byte(sums.String()), 0o644); err != nil {
		return fmt.Errorf("writing the checksums: %w", err)
	}
	return nil
}

// archive is the name under which Pulumi looks for the plugin.
func (p platform) archive(version string) string {
	return fmt.Sprintf("pulumi-resource-streaming-v%s-%s-%s.tar.gz", version, p.goos, p.goarch)
}

func (p platform) binary() string {
	if p.goos == "windows" {
		return "pulumi-resource-streaming.exe"
	}
	return "pulumi-resource-streaming"
}

// build compiles the provider; equal sources give equal bytes.
func (p platform) build(ctx context.Context, version, binary string) error {
	return tool(ctx, []string{"GOOS=" + p.goos, "GOARCH=" + p.goarch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"},
		"go", "build", "-trimpath", "-buildvcs=false", "-tags", "release",
		"-ldflags", "-s -w -X main.version="+version, "-o", binary, "./"+provider)
}

// pack writes files into an archive, without their directories and all of one
// time, so that equal files give equal bytes.
func pack(path string, files ...string) error {
	archive, err := os.Create(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	compressed := gzip.NewWriter(archive)
	writer := tar.NewWriter(compressed)
	for _, file := range files {
		if err := add(writer, file); err != nil {
			return err
		}
	}
	for _, c := range []io.Closer{writer, compressed, archive} {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

func add(writer *tar.Writer, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	mode := int64(0o644)
	if strings.HasPrefix(filepath.Base(path), "pulumi-resource-") {
		mode = 0o755
	}
	err = writer.WriteHeader(&tar.Header{
		Name: filepath.Base(path), Mode: mode, Size: int64(len(content)),
		ModTime: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), Format: tar.FormatPAX,
	})
	if err != nil {
		return err
	}
	_, err = writer.Write(content)
	return err
}

// tool runs a program with further environment; its output is this one's.
func tool(ctx context.Context, environment []string, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), environment...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
