package engine_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	sdk "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/internal/stack"
)

const project = "streaming-service"

// testStack is a stack of this repository's program on a cloud.
type testStack struct {
	auto.Stack
	cloud *cloud
	t     testing.TB
	steps []step // so far
}

// newStack makes a stack with the configuration of the stack dev, changed by
// settings: path and value in turn.
func (c *cloud) newStack(t testing.TB, name string, settings ...string) *testStack {
	t.Helper()
	declared, err := workspace.LoadProject(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyFile(t, filepath.Join(root, "Pulumi.dev.yaml"), filepath.Join(dir, "Pulumi."+name+".yaml"))
	engine, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: pulumi(t)})
	if err != nil {
		t.Fatal(err)
	}
	created, err := auto.UpsertStackInlineSource(t.Context(), name, project, stack.Program(stack.WithFunctionBuilder(functions)),
		auto.Pulumi(engine), auto.Project(*declared), auto.WorkDir(dir), auto.SecretsProvider("passphrase"), auto.EnvVars(c.environment(t)))
	if err != nil {
		t.Fatal(err)
	}
	s := &testStack{Stack: created, cloud: c, t: t}
	s.use(stack.Program(stack.WithFunctionBuilder(functions)))
	s.set(settings...)
	return s
}

// environment is that of the CLI and of what it starts. State, plugins and the
// passphrase are the test's own.
func (c *cloud) environment(t testing.TB) map[string]string {
	t.Helper()
	state := t.TempDir()
	return map[string]string{
		"PULUMI_BACKEND_URL":                            "file://" + state,
		"PULUMI_CONFIG_PASSPHRASE":                      "engine tests",
		"PULUMI_HOME":                                   t.TempDir(),
		"PULUMI_DEBUG_PROVIDERS":                        "aws:" + c.providerPort,
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION":   "true",
		"PULUMI_SKIP_UPDATE_CHECK":                      "true",
		"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
	}
}

// use changes the program of the stack.
func (s *testStack) use(program sdk.RunFunc) { s.Workspace().SetProgram(program) }

// set sets configuration: path and value in turn, as `pulumi config set --path`.
func (s *testStack) set(settings ...string) {
	s.t.Helper()
	values := auto.ConfigMap{}
	for i := 0; i+1 < len(settings); i += 2 {
		values[settings[i]] = auto.ConfigValue{Value: settings[i+1]}
	}
	if len(values) == 0 {
		return
	}
	if err := s.SetAllConfigWithOptions(s.t.Context(), values, &auto.ConfigOptions{Path: true}); err != nil {
		s.t.Fatal(err)
	}
}

// harness is a client of what the stack made.
func (s *testStack) harness() *localcloudtest.Harness {
	s.t.Helper()
	outputs, err := s.Outputs(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	plain := map[string]any{"cognitoEndpoint": s.cloud.URL()}
	for name, output := range outputs {
		plain[name] = output.Value
	}
	encoded, err := json.Marshal(plain)
	if err != nil {
		s.t.Fatal(err)
	}
	h := &localcloudtest.Harness{Cloud: s.cloud.Cloud, Client: &http.Client{Timeout: 35 * time.Second}}
	if err := json.Unmarshal(encoded, &h.Config); err != nil {
		s.t.Fatal(err)
	}
	return h
}

// stream has a prompt answered through what the stack made, for a new user.
func (s *testStack) stream(email string) {
	s.t.Helper()
	h := s.harness()
	token := h.SignUp(s.t, email).IDToken
	socket := h.Dial(s.t, token)
	defer socket.Close()
	id := h.Submit(s.t, token, localcloudtest.Prompt("Tell me a story", "tokens=40 seed=7"))
	answer := socket.Stream(s.t, id, 30*time.Second)
	if answer.End.Type != "done" || answer.Text == "" {
		s.t.Fatalf("got %+v; the processor logged:\n%s", answer, h.Logs(s.t, "processor"))
	}
}

// state returns the exported state as text.
func (s *testStack) state() string {
	s.t.Helper()
	exported, err := s.Export(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return string(exported.Deployment)
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// merged returns the union of two environments; the second wins.
func merged(a, b map[string]string) map[string]string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}
