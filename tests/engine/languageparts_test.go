package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// goLanguage runs plugins, no programs.
var goLanguage = language{
	name: "go",
	generate: generator(func(pkg *schema.Package, _ schema.ReferenceLoader, _ bool) (map[string][]byte, error) {
		return golang.GeneratePackage("pulumi", pkg, nil)
	}),
	install: func(dir string) error { return run(dir, nil, "go", "mod", "tidy", "-compat=1.18") },
}

var nodeLanguage = language{
	name: "nodejs",
	generate: generator(func(pkg *schema.Package, loader schema.ReferenceLoader, local bool) (map[string][]byte, error) {
		return nodejs.GeneratePackage("pulumi", pkg, nil, nil, local, loader)
	}),
	link: func(dir, path string) (string, error) {
		var manifest struct{ Name string }
		content, err := os.ReadFile(filepath.Join(dir, path, "package.json"))
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(content, &manifest); err != nil {
			return "", err
		}
		return "import from " + manifest.Name, run(dir, nil, "npm", "pkg", "set", "dependencies."+manifest.Name+"=file:"+path)
	},
	install: func(dir string) error {
		return run(dir, nil, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	},
	described: "node_modules/@*/*/package.json",
	program: func(ctx context.Context, in *pulumirpc.RunRequest, engine string) *exec.Cmd {
		root := in.GetInfo().GetProgramDirectory()
		args := append([]string{filepath.Join(root, "node_modules", "@pulumi", "pulumi", "cmd", "run")}, runArguments(in, engine)...)
		if in.GetDryRun() {
			args = append(args, "--dry-run")
		}
		command := exec.CommandContext(ctx, "node", append(args, in.GetInfo().GetEntryPoint())...)
		command.Env = []string{"PULUMI_NODEJS_TYPESCRIPT=true"}
		return command
	},
}

var pythonLanguage = language{
	name: "python",
	generate: generator(func(pkg *schema.Package, loader schema.ReferenceLoader, _ bool) (map[string][]byte, error) {
		return python.GeneratePackage("pulumi", pkg, nil, loader)
	}),
	link: func(dir, path string) (string, error) {
		requirements := filepath.Join(dir, "requirements.txt")
		content, err := os.ReadFile(requirements)
		if err != nil {
			return "", err
		}
		if strings.Contains(string(content), path) {
			return "the SDK is required already", nil
		}
		return "the SDK is required", os.WriteFile(requirements, fmt.Appendf(content, "\n%s\n", path), 0o644)
	},
	install: func(dir string) error {
		if err := run(dir, nil, "python3", "-m", "venv", "venv"); err != nil {
			return err
		}
		return run(dir, nil, venvBin(dir, "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt")
	},
	described: "venv/lib/python3*/site-packages/*/pulumi-plugin.json",
	program: func(ctx context.Context, in *pulumirpc.RunRequest, engine string) *exec.Cmd {
		root := in.GetInfo().GetProgramDirectory()
		args := append([]string{pythonExecutor()}, runArguments(in, engine)...)
		args = append(args, "--dry_run", strconv.FormatBool(in.GetDryRun()), in.GetInfo().GetEntryPoint())
		return exec.CommandContext(ctx, venvBin(root, "python"), args...)
	},
}

// venvBin is a program of the virtual environment that the example names.
func venvBin(dir, program string) string { return filepath.Join(dir, "venv", "bin", program) }

// pythonExecutor is the script of Pulumi's SDK that runs Python programs.
func pythonExecutor() string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3").Output()
	if err != nil {
		panic(fmt.Sprintf("finding Pulumi's SDK: %v", err)) // the tests are built from it
	}
	return filepath.Join(strings.TrimSpace(string(out)), "python", "cmd", "pulumi-language-python-exec")
}

// generator writes the files that a code generator makes of a schema.
func generator(generate func(*schema.Package, schema.ReferenceLoader, bool) (map[string][]byte, error)) func([]byte, string, string, bool) error {
	return func(text []byte, loaderTarget, dir string, local bool) error {
		var spec schema.PackageSpec
		if err := json.Unmarshal(text, &spec); err != nil {
			return fmt.Errorf("reading schema: %w", err)
		}
		loader, err := schema.NewLoaderClient(loaderTarget)
		if err != nil {
			return fmt.Errorf("reaching the loader of schemas: %w", err)
		}
		defer loader.Close()
		cached := schema.NewCachedLoader(loader)
		pkg, diagnostics, err := schema.BindSpec(spec, cached, schema.ValidationOptions{})
		if err != nil {
			return fmt.Errorf("binding schema: %w", err)
		}
		if diagnostics.HasErrors() {
			return fmt.Errorf("binding schema: %w", diagnostics)
		}
		files, err := generate(pkg, cached, local)
		if err != nil {
			return err
		}
		for name, content := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, content, 0o644); err != nil {
				return err
			}
		}
		return nil
	}
}
