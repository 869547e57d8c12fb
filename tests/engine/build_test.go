package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

const (
	root          = "../.."
	pulumiVersion = "3.256.0" // of the module in go.mod, which a test compares
	released      = "0.1.0"   // the version of the schema golden

	cliPackage  = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
	yamlPackage = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
	versionFlag = "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=" + pulumiVersion
)

// pulumi returns the directory whose bin holds the Pulumi CLI. It is built once
// for each of its versions, in three to five minutes, and kept in the user's
// cache.
func pulumi(t testing.TB) string {
	t.Helper()
	return must(t, builtPulumi)
}

// pulumiWithYAML is pulumi with the host of YAML programs beside the CLI.
func pulumiWithYAML(t testing.TB) string {
	t.Helper()
	return must(t, builtYAML)
}

// provider returns the directory that holds pulumi-resource-streaming as a
// release has it, made from the source as it is: with the functions in it.
func provider(t testing.TB) string {
	t.Helper()
	return must(t, builtProvider)
}

var (
	builtPulumi = sync.OnceValues(func() (string, error) {
		return tool("pulumi", cliPackage, "-ldflags", versionFlag)
	})
	builtYAML = sync.OnceValues(func() (string, error) {
		if _, err := builtPulumi(); err != nil {
			return "", err
		}
		return tool("pulumi-language-yaml", yamlPackage)
	})
	builtProvider = sync.OnceValues(func() (string, error) {
		dir := filepath.Join(scratch, "release")
		err := run(root, nil, "go", "run", "./cmd/release", "-version", released, "-platforms", "host", "-sdks", "", "-out", dir)
		return filepath.Join(dir, "bin", runtime.GOOS+"-"+runtime.GOARCH), err
	})

	scratch string // a directory of this run
)

func must(t testing.TB, built func() (string, error)) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// tool builds a command of Pulumi unless the one in the cache is of the same
// versions of Pulumi and Go.
func tool(name, pkg string, flags ...string) (string, error) {
	versions, err := exec.Command("go", "list", "-m", "github.com/pulumi/pulumi/pkg/v3", "github.com/pulumi/pulumi-yaml").Output()
	if err != nil {
		return "", fmt.Errorf("finding versions: %w", err)
	}
	sum := sha256.Sum256(append(versions, runtime.Version()...))
	dir, err := cacheDir(filepath.Join("pulumi", hex.EncodeToString(sum[:8])))
	if err != nil {
		return "", err
	}
	output := filepath.Join(dir, "bin", name)
	if _, err := os.Stat(output); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return "", fmt.Errorf("making the cache: %w", err)
	}
	return dir, goBuild(".", output, pkg, flags...)
}

// goBuild builds a command beside its place and then moves it there, so that
// nobody sees half of it.
func goBuild(dir, output, pkg string, flags ...string) error {
	unfinished := fmt.Sprintf("%s.%d", output, os.Getpid())
	args := append([]string{"build", "-o", unfinished}, flags...)
	if err := run(dir, nil, "go", append(args, pkg)...); err != nil {
		return err
	}
	if err := os.Rename(unfinished, output); err != nil {
		return fmt.Errorf("placing %s: %w", output, err)
	}
	return nil
}

// run runs a command in dir, with further environment. Its output is in the
// error.
func run(dir string, environment []string, name string, args ...string) error {
	command := exec.Command(name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), environment...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// cacheDir returns a directory in the user's cache, made if need be.
func cacheDir(name string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache: %w", err)
	}
	dir := filepath.Join(cache, "streaming-service", "engine", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the cache: %w", err)
	}
	return dir, nil
}

// builtOnce builds each function once, for this machine, for all tests, and
// keeps it in dir, where no other build changes it.
type builtOnce struct {
	inner *functionbuild.Builder
	dir   string

	mu   sync.Mutex
	zips map[string]string
}

var functions = &builtOnce{
	inner: functionbuild.New(functionbuild.ForHost(), functionbuild.WithSource(root)),
	zips:  map[string]string{},
}

// Build implements components.FunctionBuilder.
func (b *builtOnce) Build(ctx context.Context, function, architecture string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if zip, ok := b.zips[function]; ok {
		return zip, nil
	}
	built, err := b.inner.Build(ctx, function, architecture)
	if err != nil {
		return "", err
	}
	own := filepath.Join(b.dir, function+".zip")
	if err := copyZip(built, own); err != nil {
		return "", err
	}
	b.zips[function] = own
	return own, nil
}

func copyZip(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading function: %w", err)
	}
	if err := os.WriteFile(to, content, 0o644); err != nil {
		return fmt.Errorf("keeping function: %w", err)
	}
	return nil
}

// TestMain builds the tools of Pulumi, outside of the time that tests may take,
// and gives what this run builds a directory of its own.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		if err := prepare(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

func prepare() (err error) {
	if _, err := builtPulumi(); err != nil {
		return err
	}
	if !testing.Short() {
		if _, err := builtYAML(); err != nil {
			return err
		}
	}
	if scratch, err = os.MkdirTemp("", "engine-"); err != nil {
		return err
	}
	functions.dir = filepath.Join(scratch, "functions")
	return os.Mkdir(functions.dir, 0o755)
}

func TestVersionOfTheCLIIsThatOfItsModule(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "github.com/pulumi/pulumi/pkg/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != "v"+pulumiVersion {
		t.Errorf("go.mod requires %s, the tests say v%s", got, pulumiVersion)
	}
	reported, err := exec.CommandContext(t.Context(), filepath.Join(pulumi(t), "bin", "pulumi"), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimPrefix(string(bytes.TrimSpace(reported)), "v"); got != pulumiVersion {
		t.Errorf("the CLI reports %s, want %s", got, pulumiVersion)
	}
}
