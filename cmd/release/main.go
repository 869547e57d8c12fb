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
	"os"
	"os/signal"
	"runtime"
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := parse(os.Args[1:])
	if err == nil {
		err = r.make(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*release, error) {
	r := &release{}
	flags := flag.NewFlagSet("release", flag.ExitOnError)
	flags.StringVar(&r.version, "version", "", "version without the v, as 1.2.3")
	flags.StringVar(&r.dir, "out", "dist", "directory for the result; what is in it goes")
	platforms := flags.String("platforms", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64", "platforms of the provider; host is this one")
	languages := flags.String("sdks", "go,nodejs,python,dotnet,java", "languages of the SDKs, which Pulumi's CLI generates")
	if err := flags.Parse(args); err != nil {
		return nil, err
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
	return r, nil
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' })
}

func (r *release) make(ctx context.Context) error {
	if _, err := os.Stat(provider); err != nil {
		return errors.New("run it at the root of the repository")
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
