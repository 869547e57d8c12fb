package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/streaming-service/streaming-service/internal/atomicfile"
)

//go:generate go run ./internal/archive

// archives provides the functions that a release embeds: a binary built with
// the tag release after `go generate`.
type archives struct{}

// Build writes the embedded zip of a function to the user's cache, under the
// version of this binary, and returns its path. The file appears whole.
func (archives) Build(_ context.Context, function, architecture string) (string, error) {
	content, err := zips.ReadFile("archives/" + architecture + "/" + function + ".zip")
	if err != nil {
		return "", fmt.Errorf("finding the embedded function %s for %s: %w", function, architecture, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w", err)
	}
	path := filepath.Join(cache, "streaming-service", "functions", version, architecture, function+".zip")
	if current, err := os.ReadFile(path); err == nil && string(current) == string(content) {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("creating the function cache: %w", err)
	}
	if err := atomicfile.Replace(path, content); err != nil {
		return "", fmt.Errorf("writing function %s: %w", function, err)
	}
	return path, nil
}
