package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
	if err := replaceFile(path, content); err != nil {
		return "", fmt.Errorf("writing function %s: %w", function, err)
	}
	return path, nil
}

func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(content); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
