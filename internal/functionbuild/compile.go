package functionbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tags leave out of the functions what they do not need: the RPC interface of
// the old Go runtime, and HTTP/2, without which the AWS APIs work as well and
// which is 4% of a zip.
const tags = "lambda.norpc,nethttpomithttp2"

// compile builds one function and packs it at zipPath. The executable is kept
// beside the zip: the go command then links again only what has changed.
func compile(ctx context.Context, source, function string, t target, zipPath string) error {
	kept := strings.TrimSuffix(zipPath, ".zip")
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return fmt.Errorf("building function %s: %w", function, err)
	}
	binary := filepath.Join(kept, bootstrap)
	command := exec.CommandContext(ctx, "go", "build", "-C", source, "-trimpath", "-buildvcs=false",
		"-tags", tags, "-ldflags", "-s -w", "-o", binary, "./lambdas/"+function)
	command.Env = environment(os.Environ(), kept, t.goos, t.goarch)
	_, err := run(command)
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("building function %s: %w: install Go, or %s", function, err, advice)
	}
	if err != nil {
		return fmt.Errorf("building function %s: %w", function, err)
	}
	if err := pack(binary, zipPath, t.method); err != nil {
		return fmt.Errorf("packing function %s: %w", function, err)
	}
	return nil
}

// environment is that of the go command, which works in a directory on the
// file system of its result so that the executable appears at once and whole.
// What decides the bytes of the executable is set last, so that neither the
// caller's environment nor its workspace changes them.
func environment(base []string, temporary, goos, goarch string) []string {
	return append(slices.Clone(base), "GOTMPDIR="+temporary,
		"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0",
		"GOOS="+goos, "GOARCH="+goarch)
}

// run runs a command of the Go toolchain and returns what it printed; its
// error holds what the command said about it.
func run(command *exec.Cmd) (string, error) {
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	command.WaitDelay = time.Second // for the output of children that outlive it
	endWithChildren(command)
	if err := command.Run(); err != nil {
		if message := strings.TrimSpace(stderr.String()); message != "" {
			err = fmt.Errorf("%w: %s", err, message)
		}
		return stdout.String(), err
	}
	return strings.TrimSpace(stdout.String()), nil
}
