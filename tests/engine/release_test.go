package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReleasedSDKs has the release command generate the SDKs whose generators
// can be had, and compiles the one for Go.
func TestReleasedSDKs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "dist")
	environment := []string{
		"PATH=" + path(filepath.Join(pulumi(t), "bin")),
		"PULUMI_HOME=" + t.TempDir(),
		"PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
		"PULUMI_DEBUG_LANGUAGES=" + serveLanguages(t, goLanguage, nodeLanguage, pythonLanguage),
	}
	if err := run(root, environment, "go", "run", "./cmd/release", "-version", "1.2.3", "-platforms", "", "-sdks", "go,nodejs,python", "-out", dir); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"schema.json", "sdk/go/streaming/pulumi-plugin.json", "sdk/nodejs/package.json", "sdk/python/pyproject.toml"} {
		content := string(readFile(t, filepath.Join(dir, filepath.FromSlash(file))))
		for _, want := range []string{"1.2.3", "streaming"} {
			if !strings.Contains(content, want) {
				t.Errorf("%s does not say %s:\n%s", file, want, content)
			}
		}
	}
	sdk := filepath.Join(dir, "sdk", "go")
	module := fmt.Sprintf("module %s/sdk/go\n\ngo 1.26\n\nrequire github.com/pulumi/pulumi/sdk/v3 v%s\n", modulePath, pulumiVersion)
	if err := os.WriteFile(filepath.Join(sdk, "go.mod"), []byte(module), 0o600); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(root, "go.sum"), filepath.Join(sdk, "go.sum"))
	if err := run(sdk, nil, "go", "build", "-mod=mod", "./..."); err != nil {
		t.Error(err)
	}
}
