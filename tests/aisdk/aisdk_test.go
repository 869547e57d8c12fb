// Package aisdk_test has the Vercel AI SDK's own chat run over the service on the
// local cloud, by the browser client's transport.
package aisdk_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// versions are the majors of the SDK that the transport is for, by their names
// in package.json.
var versions = []string{"ai6", "ai7"}

func TestChatTransport(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from npm")
	}
	node := find(t, "node")
	packages := installed(t, find(t, "npm"))
	cloud := localcloudtest.Start(t, localcloud.Options{
		Builder:   functionbuild.New(functionbuild.ForHost(), functionbuild.WithSource("../..")),
		Overrides: []string{"quota.monthlyRequests=4"},
	})
	web, err := filepath.Abs("../../web")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(packages, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), node, "--test", "transport.test.mjs")
			command.Dir = dir
			command.Env = append(os.Environ(), "AI="+version, "CLOUD="+cloud.URL, "WEB="+(&url.URL{Scheme: "file", Path: filepath.ToSlash(web)}).String())
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// find returns the path of a program, without which the test is skipped.
func find(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	return path
}

// installed returns a node_modules with the packages of the lock file, which the
// user's cache keeps. Where they cannot be had the test is skipped, except in CI.
func installed(t *testing.T, npm string) string {
	t.Helper()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(cache, "streaming-service", "aisdk-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err != nil {
		if err := install(t, npm, dir); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skipf("the packages cannot be installed from npm: %v", err)
		}
	}
	return filepath.Join(dir, "node_modules")
}

// install puts the packages beside dir and moves them there when they are whole.
func install(t *testing.T, npm, dir string) error {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return err
	}
	building, err := os.MkdirTemp(filepath.Dir(dir), "aisdk-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(building) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(building, name), content, 0o600); err != nil {
			return err
		}
	}
	command := exec.CommandContext(t.Context(), npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
	command.Dir = building
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	if err := os.Rename(building, dir); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}
