package engine_test

import (
	"bytes"
	"encoding/json"
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
	want := readFile(t, filepath.Join(root, "cmd", providerName, "testdata", "schema.json"))
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

// TestYAML runs the YAML example, with the functions that the provider
// embeds, and has a prompt answered.
func TestYAML(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the provider and a language host")
	}
	c := startCloud(t)
	dir := t.TempDir()
	example := filepath.Join(dir, "work")
	copyDir(t, filepath.Join(root, "examples", "yaml"), example)
	useHostArchitecture(t, filepath.Join(example, "Pulumi.yaml"))
	engine, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: pulumiWithYAML(t)})
	if err != nil {
		t.Fatal(err)
	}
	environment := c.environment(t, dir)
	environment["PATH"] = path(provider(t), filepath.Join(pulumi(t), "bin"))
	created, err := auto.UpsertStackLocalSource(t.Context(), "yaml", example, auto.Pulumi(engine), auto.SecretsProvider("passphrase"), auto.EnvVars(environment))
	if err != nil {
		t.Fatal(err)
	}
	s := &testStack{Stack: created, cloud: c, dir: dir, t: t, service: "chat"}

	planned := s.preview("preview")
	if made := s.up("up"); !slices.Equal(made.creates, planned.creates) || len(made.creates) == 0 {
		t.Errorf("the preview planned to create %v, the update created %v", planned.creates, made.creates)
	}
	s.stream("ada@example.com")
	s.expectNothing("up again")
	s.destroy("destroy")
	if left := c.Declared(); len(left) != 0 {
		t.Errorf("the destroyed stack left %v", left)
	}
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

// TestTypeScript checks and previews the TypeScript example against its
// generated SDK.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from npm")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed")
	}
	example := exampleWithSDK(t, "typescript", "nodejs")
	const sdk = `,
    "@streaming-service/streaming": "file:sdks/streaming"`
	manifest := strings.Replace(string(readFile(t, filepath.Join(example, "package.json"))), sdk, "", 1)
	packages := installed(t, "npm", manifest, func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(manifest), 0o644); err != nil {
			return err
		}
		return run(dir, nil, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
	})
	// As npm installs the SDK: beside the others, under its name, compiled.
	modules := filepath.Join(example, "node_modules")
	installedSDK := filepath.Join(modules, "@streaming-service", "streaming")
	copyDir(t, filepath.Join(example, "sdks", "streaming"), installedSDK)
	linkAll(t, filepath.Join(packages, "node_modules"), modules)
	bin := filepath.Join(modules, ".bin")
	if err := run(installedSDK, []string{"PATH=" + path(bin)}, "node", "scripts/postinstall.js"); err != nil {
		t.Fatal(err)
	}
	tsc := filepath.Join(bin, "tsc")
	if err := run(example, nil, tsc); err != nil {
		t.Fatal(err)
	}
	misspell(t, filepath.Join(example, "index.ts"), "monthlyRequests:", "monthlyRequest:", func() error { return run(example, nil, tsc, "--noEmit") })
	preview := copyTestdata(t, "preview.js", example)
	checkPreview(t, example, "node", preview)
}

// TestPython checks and previews the Python example against its generated SDK.
func TestPython(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from PyPI")
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	example := exampleWithSDK(t, "python", "python")
	packages := []string{"pulumi==" + pulumiVersion, "mypy==1.19.1", "parver==0.5", "setuptools==80.9.0", "wheel==0.45.1"}
	venv := installed(t, "pypi", strings.Join(packages, " "), func(dir string) error {
		if err := run(dir, nil, "python3", "-m", "venv", "."); err != nil {
			return err
		}
		pip := filepath.Join(dir, "bin", "pip")
		return run(dir, nil, pip, append([]string{"install", "--quiet"}, packages...)...)
	})
	site := filepath.Join(example, "site")
	pip := filepath.Join(venv, "bin", "pip")
	if err := run(example, nil, pip, "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", site, "./sdks/streaming"); err != nil {
		t.Fatal(err)
	}
	imports := []string{"PYTHONPATH=" + site, "MYPYPATH=" + site}
	mypy := func() error {
		return run(example, imports, filepath.Join(venv, "bin", "mypy"), "--strict", "--follow-imports=silent", "__main__.py")
	}
	if err := mypy(); err != nil {
		t.Fatal(err)
	}
	misspell(t, filepath.Join(example, "__main__.py"), "monthly_requests=", "monthly_request=", mypy)
	preview := copyTestdata(t, "preview.py", example)
	checkPreview(t, example, filepath.Join(venv, "bin", "python"), preview, imports...)
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

// checkPreview runs a driver that previews the program of an example through
// the automation API of its language, with the local cloud attached.
func checkPreview(t *testing.T, example, program, driver string, more ...string) {
	t.Helper()
	c := startCloud(t)
	environment := append(more, "PATH="+path(provider(t), filepath.Join(pulumi(t), "bin")))
	for name, value := range c.environment(t, t.TempDir()) {
		environment = append(environment, name+"="+value)
	}
	command := exec.CommandContext(t.Context(), program, driver)
	command.Dir = example
	command.Env = append(os.Environ(), environment...)
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, problems.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var planned map[string]int
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &planned); err != nil {
		t.Fatalf("reading %s: %v", out, err)
	}
	t.Logf("preview of %s: %v", filepath.Base(example), planned)
	if planned["create"] < 100 || len(planned) != 1 {
		t.Errorf("the preview plans %v, want creations only\n%s", planned, out)
	}
	if c.changes() != 0 {
		t.Errorf("the preview made %d changes", c.changes())
	}
}

// path is PATH with directories before those of this process.
func path(dirs ...string) string {
	return strings.Join(append(dirs, os.Getenv("PATH")), string(os.PathListSeparator))
}

// exampleWithSDK copies an example and generates its SDK with the CLI.
func exampleWithSDK(t *testing.T, name, language string) string {
	t.Helper()
	example := filepath.Join(t.TempDir(), name)
	copyDir(t, filepath.Join(root, "examples", name), example)
	hosts := []string{"PULUMI_DEBUG_LANGUAGES=" + generators[language].serve(t, language)}
	generated := t.TempDir()
	cli(t, example, hosts, "package", "gen-sdk", filepath.Join(provider(t), providerName), "--language", name, "--local", "--out", generated)
	found, err := filepath.Glob(filepath.Join(generated, "*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("gen-sdk wrote %v: %v", found, err)
	}
	if err := os.MkdirAll(filepath.Join(example, "sdks"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(found[0], filepath.Join(example, "sdks", "streaming")); err != nil {
		t.Fatal(err)
	}
	return example
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
