// Package packages gives tests the packages of other languages, at the versions
// that a lock file names. They are kept in the user's cache. A test is skipped
// where they cannot be had, and in CI it fails.
package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program returns the path of a program, without which the test is skipped.
func Program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// NPM returns a node_modules with the packages of a folder's lock file.
func NPM(t *testing.T, folder string) string {
	t.Helper()
	npm := Program(t, "npm")
	dir := installed(t, "npm", filepath.Join(folder, "package-lock.json"), func(building string) error {
		for _, name := range []string{"package.json", "package-lock.json"} {
			content, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(building, name), content, 0o600); err != nil {
				return err
			}
		}
		return run(t.Context(), building, npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
	})
	return filepath.Join(dir, "node_modules")
}

// PyPI returns a folder with the packages of a requirements file, for
// PYTHONPATH. The file names every package, so that nothing is resolved.
func PyPI(t *testing.T, requirements string) string {
	t.Helper()
	python := Program(t, "python3")
	if exec.CommandContext(t.Context(), python, "-m", "pip", "--version").Run() != nil {
		t.Skip("python3 has no pip")
	}
	return installed(t, "pypi", requirements, func(building string) error {
		path, err := filepath.Abs(requirements)
		if err != nil {
			return err
		}
		return run(t.Context(), building, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
			"--no-deps", "--target", building, "--requirement", path)
	})
}

// installed returns the folder in the cache that belongs to a lock file. What is
// not there yet is installed beside it, and moved there when it is whole.
func installed(t *testing.T, kind, lock string, install func(building string) error) string {
	t.Helper()
	content, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	dir := filepath.Join(cache, "streaming-service", kind+"-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := move(dir, install); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("the packages of %s cannot be installed: %v", lock, err)
	}
	return dir
}

func move(dir string, install func(building string) error) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return err
	}
	building, err := os.MkdirTemp(filepath.Dir(dir), "building-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(building) }()
	if err := install(building); err != nil {
		return err
	}
	if err := os.Rename(building, dir); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}

func run(ctx context.Context, dir, program string, args ...string) error {
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, output)
	}
	return nil
}
