package engine_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// installed returns a directory in the cache into which install has put
// packages. Where they cannot be had the test is skipped, except in CI.
func installed(t *testing.T, registry, packages string, install func(dir string) error) string {
	t.Helper()
	sum := sha256.Sum256([]byte(packages))
	dir, err := cacheDir(filepath.Join(registry, hex.EncodeToString(sum[:8])))
	if err != nil {
		t.Fatal(err)
	}
	complete := filepath.Join(dir, ".complete")
	if _, err := os.Stat(complete); err == nil {
		return dir
	}
	if err := install(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("the packages cannot be installed from %s: %v", registry, err)
	}
	if err := os.WriteFile(complete, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// linkAll links each entry of a directory into another; those that are there
// already, such as scopes, are merged.
func linkAll(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.Symlink(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// copyTestdata copies a file of testdata beside a program and returns its path.
func copyTestdata(t *testing.T, name, dir string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	copyFile(t, filepath.Join("testdata", name), path)
	return path
}
