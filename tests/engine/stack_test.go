package engine_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	cloud   *cloud
	dir     string // of everything that the engine keeps
	t       testing.TB
	service string // name of the service in the program
	steps   []step // so far
	initial []byte // configuration, once it is kept

	environment map[string]string // of the CLI, if the program is a consumer's
}

// newStack makes a stack with the configuration of the stack dev, changed by
// the settings.
func (c *cloud) newStack(t testing.TB, name string, changes ...settings) *testStack {
	t.Helper()
	declared, err := workspace.LoadProject(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(root, "Pulumi.dev.yaml"), filepath.Join(work, "Pulumi."+name+".yaml"))
	created, err := auto.UpsertStackInlineSource(t.Context(), name, project, stack.Program(stack.WithFunctionBuilder(functions)),
		auto.Pulumi(command(t, pulumi(t))), auto.Project(*declared), auto.WorkDir(work), auto.SecretsProvider("passphrase"), auto.EnvVars(c.environment(t, dir)))
	if err != nil {
		t.Fatal(err)
	}
	s := &testStack{Stack: created, cloud: c, dir: dir, t: t, service: stack.ServiceName}
	s.configure(changes...)
	return s
}

// environment is that of the CLI and of what it starts, whose state and plugins
// are in dir.
func (c *cloud) environment(t testing.TB, dir string) map[string]string {
	t.Helper()
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(state, 0o755); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"PULUMI_BACKEND_URL":                          "file://" + state,
		"PULUMI_CONFIG_PASSPHRASE":                    "engine tests",
		"PULUMI_HOME":                                 filepath.Join(dir, "home"),
		"PULUMI_DEBUG_PROVIDERS":                      "aws:" + c.providerPort,
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		"PULUMI_SKIP_UPDATE_CHECK":                    "true",
	}
}

// use changes the program of the stack.
func (s *testStack) use(program sdk.RunFunc) { s.Workspace().SetProgram(program) }

// harness is a client of what the stack made. Custom domains lead nowhere here,
// so it uses the stages' own URLs.
func (s *testStack) harness() *localcloudtest.Harness {
	s.t.Helper()
	kept := s.kept()
	outputs := kept.stack().Outputs
	outputs["cognitoEndpoint"] = s.cloud.URL()
	outputs["restUrl"] = kept.named(s.t, s.service+"-rest-stage").Outputs["invokeUrl"]
	outputs["webSocketUrl"] = kept.named(s.t, s.service+"-websocket-stage").Outputs["invokeUrl"]
	encoded, err := json.Marshal(outputs)
	if err != nil {
		s.t.Fatal(err)
	}
	h := &localcloudtest.Harness{Cloud: s.cloud.Cloud, URL: s.cloud.URL(), Client: &http.Client{Timeout: 35 * time.Second}}
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
	id := h.Submit(s.t, token, localcloudtest.Prompt("Tell me a story", ""))
	answer := socket.Stream(s.t, id, 30*time.Second)
	if answer.End.Type != "done" || answer.Text == "" {
		s.t.Fatalf("got %+v; the processor logged:\n%s", answer, h.Logs(s.t, "processor"))
	}
}

// resource is what the engine keeps of a resource.
type resource struct {
	URN     string         `json:"urn"`
	Outputs map[string]any `json:"outputs"`
}

type resources []resource

// kept returns all that the engine keeps of the stack, itself among it.
func (s *testStack) kept() resources {
	s.t.Helper()
	exported, err := s.Export(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var deployment struct{ Resources resources }
	if err := json.Unmarshal(exported.Deployment, &deployment); err != nil {
		s.t.Fatal(err)
	}
	return deployment.Resources
}

// stack is the resource of the stack itself, whose outputs are the program's.
func (all resources) stack() resource {
	return all[slices.IndexFunc(all, func(r resource) bool { return strings.Contains(r.URN, "::pulumi:pulumi:Stack::") })]
}

// named finds a resource by its logical name.
func (all resources) named(t testing.TB, name string) resource {
	t.Helper()
	i := slices.IndexFunc(all, func(r resource) bool { return nameOf(r.URN) == name })
	if i < 0 {
		t.Fatalf("the state has no resource %s", name)
	}
	return all[i]
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, readFile(t, from), 0o644); err != nil {
		t.Fatal(err)
	}
}
