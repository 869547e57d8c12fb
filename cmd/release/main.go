// Command release makes what a release of the provider consists of: its archive
// for every platform, their checksums, and the SDKs of all languages.
//
//	go run ./cmd/release -version 1.2.3
//
// It runs at the root of the repository and leaves in dist/ what
// docs/versioning.md says how to publish.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/blang/semver"
)

// provider is the directory of the provider's source.
const provider = "cmd/pulumi-resource-streaming"

// release is what is made, and where.
type release struct {
	version   string
	dir       string
	platforms []platform
	languages []string
}

const help = `Makes what a release of the provider consists of: archives, checksums and SDKs.

Usage: go run ./cmd/release -version 1.2.3 [flags]

  -version x.y.z    the version, without a v
  -out dir          directory for the result; what is in it is deleted (dist)
  -platforms list   platforms of the provider, each os/architecture by Go's names,
                    or host for this one
                    (linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64)
  -sdks list        languages of the SDKs, which needs Pulumi's CLI in PATH; empty
                    for none (go,nodejs,python,dotnet,java)
  -help             shows this text

Run it at the root of the repository. docs/versioning.md tells what to do with
the result.

Exit status: 0, 1 when something failed, 2 for bad flags.
`

// Exit codes besides 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	r, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, help)
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "release: %v (-help shows the flags)\n", err)
		return exitUsage
	}
	if err := r.make(ctx); err != nil {
		_, _ = fmt.Fprintln(stderr, "release:", err)
		return exitFailed
	}
	return 0
}

// sdkLanguages are those that Pulumi's CLI generates SDKs in.
var sdkLanguages = []string{"go", "nodejs", "python", "dotnet", "java"}

func parse(args []string) (*release, error) {
	r := &release{}
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&r.version, "version", "", "")
	flags.StringVar(&r.dir, "out", "dist", "")
	platforms := flags.String("platforms", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64", "")
	languages := flags.String("sdks", strings.Join(sdkLanguages, ","), "")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if r.version == "" {
		return nil, errors.New("give -version, such as -version 1.2.3")
	}
	if _, err := semver.Parse(r.version); err != nil {
		return nil, fmt.Errorf("-version must be a semantic version without a v, got %q: %w", r.version, err)
	}
	for _, name := range list(*platforms) {
		if name == "host" {
			name = runtime.GOOS + "/" + runtime.GOARCH
		}
		goos, goarch, ok := strings.Cut(name, "/")
		if !ok {
			return nil, fmt.Errorf("-platforms must be pairs as linux/amd64, got %q", name)
		}
		r.platforms = append(r.platforms, platform{goos, goarch})
	}
	r.languages = list(*languages)
	for _, language := range r.languages {
		if !slices.Contains(sdkLanguages, language) {
			return nil, fmt.Errorf("-sdks must be of %s, got %q", strings.Join(sdkLanguages, ", "), language)
		}
	}
	return r, nil
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' })
}

func (r *release) make(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	if err := os.RemoveAll(r.dir); err != nil {
		return fmt.Errorf("clearing %s: %w", r.dir, err)
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", r.dir, err)
	}
	if err := r.sdks(ctx); err != nil {
		return err
	}
	return r.archives(ctx)
}

// check looks, before anything is deleted, for what would end the work later.
func (r *release) check() error {
	if _, err := os.Stat(provider); err != nil {
		return errors.New("run it at the root of the repository")
	}
	if _, err := exec.LookPath("pulumi"); err != nil && len(r.languages) > 0 {
		return errors.New(`the SDKs need Pulumi's CLI, and there is no pulumi in PATH; -sdks "" makes none`)
	}
	out, err := filepath.Abs(r.dir)
	if err != nil {
		return fmt.Errorf("finding %s: %w", r.dir, err)
	}
	here, err := filepath.Abs(provider)
	if err != nil {
		return fmt.Errorf("finding %s: %w", provider, err)
	}
	if inside, err := filepath.Rel(out, here); err == nil && filepath.IsLocal(inside) {
		return fmt.Errorf("-out %s holds this repository, and what is in it is deleted", r.dir)
	}
	return nil
}
