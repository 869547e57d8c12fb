package engine_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"gopkg.in/yaml.v3"
)

const providerName = "pulumi-resource-streaming"

// TestSchemaThroughTheCLI asks the provider's binary for the schema, as
// `pulumi package add` does.
func TestSchemaThroughTheCLI(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the provider")
	}
	got := cli(t, t.TempDir(), nil, "package", "get-schema", filepath.Join(provider(t), providerName))
	want := readFile(t, filepath.Join(root, "cmd", providerName, "schema.json"))
	var gotSchema, wantSchema any
	if err := json.Unmarshal(got, &gotSchema); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &wantSchema); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotSchema, wantSchema) {
		t.Errorf("the CLI reads another schema than the golden one:\n%.2000s", got)
	}
}

// TestYAML follows docs/languages.md with the YAML example and has a prompt
// answered.
func TestYAML(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the provider and a language host")
	}
	s := followDocs(t, "yaml", pulumiWithYAML(t), goLanguage)
	s.live()
}

// TestReleasedPlugin runs the YAML example with a plugin as a release has it,
// on a machine without the Go toolchain.
func TestReleasedPlugin(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the provider and a language host")
	}
	engine := pulumiWithYAML(t)
	s := newConsumerStack(t, "yaml", engine, map[string]string{
		"PATH": strings.Join([]string{provider(t), filepath.Join(engine, "bin")}, string(os.PathListSeparator)),
	})
	s.live()
}

// live takes the stack through its life.
func (s *testStack) live() {
	s.t.Helper()
	planned := s.preview("preview")
	if made := s.up("up"); !slices.Equal(made.creates, planned.creates) || len(made.creates) == 0 {
		s.t.Errorf("the preview planned to create %v, the update created %v", planned.creates, made.creates)
	}
	s.stream("ada@example.com")
	s.expectNothing("up again")
	s.destroy("destroy")
	if left := s.cloud.Declared(); len(left) != 0 {
		s.t.Errorf("the destroyed stack left %v", left)
	}
}

// followDocs does what docs/languages.md says, in an empty directory: an
// example as its user writes it, and the package added from its source.
func followDocs(t *testing.T, example, engine string, languages ...language) *testStack {
	t.Helper()
	provider(t) // compiles the packages of the source build, once for all tests
	source, err := filepath.Abs(filepath.Join(root, "cmd", providerName))
	if err != nil {
		t.Fatal(err)
	}
	s := newConsumerStack(t, example, engine, map[string]string{
		"PATH":                   path(filepath.Join(engine, "bin")),
		"PULUMI_DEBUG_LANGUAGES": serveLanguages(t, languages...),
	})
	environment := make([]string, 0, len(s.environment))
	for name, value := range s.environment {
		environment = append(environment, name+"="+value)
	}
	if err := run(s.Workspace().WorkDir(), environment, filepath.Join(engine, "bin", "pulumi"), "package", "add", source); err != nil {
		if os.Getenv("CI") == "" && (strings.Contains(err.Error(), "npm install") || strings.Contains(err.Error(), "pip install")) {
			t.Skipf("the packages cannot be installed: %v", err)
		}
		t.Fatal(err)
	}
	return s
}

// newConsumerStack makes a stack of a copy of an example, with functions that
// run here.
func newConsumerStack(t *testing.T, example, engine string, environment map[string]string) *testStack {
	t.Helper()
	c := startCloud(t)
	dir := t.TempDir()
	work := filepath.Join(dir, "work")
	copyDir(t, filepath.Join(root, "examples", example), work)
	if example == "yaml" {
		useHostArchitecture(t, filepath.Join(work, "Pulumi.yaml"))
	}
	maps.Copy(environment, c.environment(t, dir))
	created, err := auto.UpsertStackLocalSource(t.Context(), "test", work, auto.Pulumi(command(t, engine)), auto.SecretsProvider("passphrase"), auto.EnvVars(environment))
	if err != nil {
		t.Fatal(err)
	}
	return &testStack{Stack: created, cloud: c, dir: dir, t: t, service: "chat", environment: environment}
}

// useHostArchitecture makes the example use functions that run here.
func useHostArchitecture(t *testing.T, file string) {
	t.Helper()
	architecture, ok := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if !ok || runtime.GOOS != "linux" {
		t.Skipf("Lambda has no functions for %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	var program map[string]any
	if err := yaml.Unmarshal(readFile(t, file), &program); err != nil {
		t.Fatal(err)
	}
	setPath(program, "resources.chat.properties.functions.architecture", architecture)
	encoded, err := yaml.Marshal(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, encoded, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTypeScript follows docs/languages.md with the TypeScript example, and
// checks its types.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from npm")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed")
	}
	s := followDocs(t, "typescript", pulumi(t), goLanguage, nodeLanguage)
	work := s.Workspace().WorkDir()
	tsc := func() error { return run(work, nil, filepath.Join(work, "node_modules", ".bin", "tsc"), "--noEmit") }
	if err := tsc(); err != nil {
		t.Fatal(err)
	}
	misspell(t, filepath.Join(work, "index.ts"), "monthlyRequests:", "monthlyRequest:", tsc)
	s.create()
}

// TestPython follows docs/languages.md with the Python example, and checks its
// types.
func TestPython(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from PyPI")
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	s := followDocs(t, "python", pulumi(t), goLanguage, pythonLanguage)
	work := s.Workspace().WorkDir()
	if err := run(work, nil, venvBin(work, "pip"), "install", "--quiet", "mypy==1.19.1"); err != nil {
		t.Fatal(err)
	}
	mypy := func() error {
		return run(work, nil, venvBin(work, "mypy"), "--strict", "--follow-imports=silent", "__main__.py")
	}
	if err := mypy(); err != nil {
		t.Fatal(err)
	}
	misspell(t, filepath.Join(work, "__main__.py"), "monthly_requests=", "monthly_request=", mypy)
	s.create()
}

// create makes what the program declares, as its preview planned.
func (s *testStack) create() {
	s.t.Helper()
	planned := s.preview("preview")
	if made := s.cloud.changes(); made != 0 {
		s.t.Errorf("the preview made %d changes", made)
	}
	if made := s.up("up"); !slices.Equal(made.creates, planned.creates) || len(made.creates) < 60 {
		s.t.Errorf("the preview planned to create %v, the update created %v", planned.creates, made.creates)
	}
	outputs := s.kept().stack().Outputs
	if url, _ := outputs["restUrl"].(string); !strings.HasPrefix(url, "http") {
		s.t.Errorf("the program exports %v", outputs)
	}
}

// misspell checks that the types of the SDK are what check looks at: a setting
// with another name must not pass.
func misspell(t *testing.T, program, setting, other string, check func() error) {
	t.Helper()
	content := readFile(t, program)
	if err := os.WriteFile(program, bytes.Replace(content, []byte(setting), []byte(other), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := check(); err == nil || !strings.Contains(err.Error(), strings.TrimRight(other, ":=")) {
		t.Errorf("with %s the check of the types says %v", other, err)
	}
	if err := os.WriteFile(program, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// path is PATH with directories before those of this process.
func path(dirs ...string) string {
	return strings.Join(append(dirs, os.Getenv("PATH")), string(os.PathListSeparator))
}

// cli runs the Pulumi CLI and returns what it prints.
func cli(t *testing.T, dir string, environment []string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(pulumi(t), "bin", "pulumi"), args...)
	command.Dir = dir
	command.Env = append(append(os.Environ(), environment...), "PULUMI_HOME="+t.TempDir(), "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true")
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("pulumi %s: %v\n%s%s", strings.Join(args, " "), err, out, problems.Bytes())
	}
	return out
}
