// Package contract_test checks the REST API against the OpenAPI document that
// it serves, with Schemathesis (https://schemathesis.readthedocs.io): valid
// and invalid calls, and chains of calls along the document's links.
package contract_test

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

//go:embed schemathesis
var files embed.FS

// The deployment that is checked, which hooks.py makes bodies for.
const (
	modelID   = "global.amazon.nova-2-lite-v1:0"
	maxTokens = "256"
)

func TestTheServiceKeepsItsDocument(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs for half a minute")
	}
	tool := install(t)
	// Limits are checked elsewhere: here they would hide what is behind them. So
	// is what the model says, which is short here.
	h := localcloudtest.Start(t, localcloud.Options{
		Builder: functionbuild.New(functionbuild.ForHost(), functionbuild.WithSource("../..")),
		Overrides: []string{
			"model.modelId=" + modelID, "model.maxTokens=" + maxTokens, "quota.monthlyRequests=0", "quota.monthlyTokens=0",
			"throttle.userRateLimit=0", "throttle.userConcurrency=0", "model.system=script: tokens=5 rate=0", "auth.personalKeys=true",
		},
	})
	token := h.SignUp(t, "contract@example.com").IDToken
	answer := h.Rest(t, "", "GET", "/openapi.json", nil)
	var document map[string]any
	answer.Decode(t, &document)

	output, err := tool.run(t, document, h.Config.RestURL, token)
	if err != nil {
		t.Errorf("%v:\n%s", err, output)
	}
	if want := fmt.Sprintf("Tested: %d\n", operations(document)); !strings.Contains(output, want) {
		t.Errorf("not every operation was tested, want %q in\n%s", want, output)
	}

	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	schemas["Usage"].(map[string]any)["required"] = []string{"what no answer has"}
	if output, err := tool.run(t, document, h.Config.RestURL, token, "--include-path=/usage", "--phases=coverage"); err == nil {
		t.Errorf("a promise that is not kept goes unnoticed:\n%s", output)
	}
}

func operations(document map[string]any) (n int) {
	for _, item := range document["paths"].(map[string]any) {
		n += len(item.(map[string]any))
	}
	return n
}

// schemathesis is an installation of it.
type schemathesis struct{ python string }

// install makes a virtual environment for the pinned versions, once for all
// runs.
func install(t *testing.T) schemathesis {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	requirements, err := files.ReadFile("schemathesis/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("there is no place for the packages: %v", err)
	}
	hash := sha256.Sum256(requirements)
	dir := filepath.Join(cache, "streaming-service", "schemathesis-"+hex.EncodeToString(hash[:8]))
	tool := schemathesis{filepath.Join(dir, "bin", "python")}
	if exec.CommandContext(t.Context(), tool.python, "-m", "schemathesis.cli", "--version").Run() == nil {
		return tool
	}
	list := filepath.Join(t.TempDir(), "requirements.txt")
	if err := os.WriteFile(list, requirements, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][]string{
		{python, "-m", "venv", "--clear", dir},
		{tool.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "-r", list},
	} {
		if output, err := exec.CommandContext(t.Context(), step[0], step[1:]...).CombinedOutput(); err != nil {
			if os.Getenv("CI") == "" {
				t.Skipf("Schemathesis cannot be installed: %v: %s", err, output)
			}
			t.Fatalf("installing Schemathesis: %v: %s", err, output)
		}
	}
	return tool
}

// run checks the service at url against a document. It works in a directory of
// its own, so that nothing is kept from one run to the next.
func (s schemathesis) run(t *testing.T, document map[string]any, url, token string, more ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	inner, err := fs.Sub(files, "schemathesis")
	if err == nil {
		err = os.CopyFS(dir, inner)
	}
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "openapi.json"), encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := append([]string{"-m", "schemathesis.cli", "--no-color", "run", "openapi.json", "--url", url, "--header", "Authorization: Bearer " + token}, more...)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), s.python, arguments...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MODEL_ID="+modelID, "MAX_TOKENS="+maxTokens, "ID_TOKEN="+token)
	output, err := cmd.CombinedOutput()
	return string(output), err
}
