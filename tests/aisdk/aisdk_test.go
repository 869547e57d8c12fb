// Package aisdk_test has the Vercel AI SDK's own chat run over the service on the
// local cloud, by the browser client's transport.
package aisdk_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/tests/packages"
)

// versions are the majors of the SDK that the transport is for, by their names
// in package.json.
var versions = []string{"ai6", "ai7"}

func TestChatTransport(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from npm")
	}
	node, modules := packages.Program(t, "node"), packages.NPM(t, ".")
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
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
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
