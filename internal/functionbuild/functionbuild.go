// Package functionbuild compiles the Lambda functions of this module into
// deployment packages: one zip a function with a single executable named
// bootstrap, byte-identical on every build of the same source.
package functionbuild

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Module is the path of the module that holds the functions.
const Module = "github.com/streaming-service/streaming-service"

// Progress receives what happens to each build. It may be called concurrently.
type Progress func(Event)

// Event is what happened to the build of one function.
type Event struct {
	Function string
	Done     bool
	Elapsed  time.Duration // since the build began; 0 unless Done
	Err      error         // of a build that is Done
}

// Builder builds functions. It is safe for concurrent use and runs a few
// builds at a time.
type Builder struct {
	host       *target // overrides the architecture asked for
	outputDir  string
	source     string
	pluginRoot string
	progress   Progress
	slots      chan struct{}

	once   sync.Once
	dir    string
	dirErr error
}

// Option configures a Builder.
type Option func(*Builder)

// WithProgress reports the builds as they go on. Default: silence.
func WithProgress(p Progress) Option { return func(b *Builder) { b.progress = p } }

// WithOutputDir sets where the zips are kept. Default: a directory in the
// user's cache, separate for each place of the source.
func WithOutputDir(dir string) Option { return func(b *Builder) { b.outputDir = dir } }

// WithSource sets the directory of the module's source. Default: that from
// which the running program was built, or where the go command finds the module
// from the working directory.
func WithSource(dir string) Option { return func(b *Builder) { b.source = dir } }

// WithPluginRoot names the directory in which Pulumi keeps this program's
// source or binary, another place to look for the module.
func WithPluginRoot(dir string) Option { return func(b *Builder) { b.pluginRoot = dir } }

// ForHost builds for the machine that runs the builder, whatever architecture
// is asked for, so that the functions can be started here. Nothing is compressed:
// whoever starts a function unpacks it first, which takes longer than to read it.
func ForHost() Option {
	return func(b *Builder) { b.host = &target{goos: runtime.GOOS, goarch: runtime.GOARCH, method: zip.Store} }
}

// New returns a Builder.
func New(options ...Option) *Builder {
	b := &Builder{progress: func(Event) {}, slots: make(chan struct{}, min(4, runtime.NumCPU()))}
	for _, o := range options {
		o(b)
	}
	return b
}

// Build compiles function for architecture, arm64 or x86_64, and returns the
// path of its zip. The path depends only on where the source is, the function
// and the architecture; the file is written only if its bytes change.
func (b *Builder) Build(ctx context.Context, function, architecture string) (string, error) {
	t, err := b.target(architecture)
	if err != nil {
		return "", err
	}
	source, err := b.sourceDir(ctx)
	if err != nil {
		return "", err
	}
	outputs, err := b.outputs(source)
	if err != nil {
		return "", err
	}
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	begun := time.Now()
	b.progress(Event{Function: function})
	path := filepath.Join(outputs, t.file(function))
	err = compile(ctx, source, function, t, path)
	b.progress(Event{Function: function, Done: true, Elapsed: time.Since(begun), Err: err})
	if err != nil {
		return "", err
	}
	return path, nil
}

// target is what a function is built for.
type target struct {
	goos, goarch string
	method       uint16 // of the zip
}

// file is the name of a function's zip.
func (t target) file(function string) string {
	name := function + "-" + t.goos + "-" + t.goarch
	if t.method == zip.Store {
		name += "-stored"
	}
	return name + ".zip"
}

func (b *Builder) target(architecture string) (target, error) {
	if b.host != nil {
		return *b.host, nil
	}
	switch architecture {
	case "arm64":
		return target{"linux", "arm64", zip.Deflate}, nil
	case "x86_64":
		return target{"linux", "amd64", zip.Deflate}, nil
	default:
		return target{}, fmt.Errorf("building functions: architecture must be arm64 or x86_64, got %q", architecture)
	}
}

// sourceDir finds the module once.
func (b *Builder) sourceDir(ctx context.Context) (string, error) {
	b.once.Do(func() {
		b.dir = b.source
		if b.dir == "" {
			b.dir, b.dirErr = find(ctx, b.pluginRoot)
		}
	})
	return b.dir, b.dirErr
}

// outputs returns the directory for the zips built from source.
func (b *Builder) outputs(source string) (string, error) {
	dir := b.outputDir
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding a place for built functions: %w", err)
		}
		place := sha256.Sum256([]byte(source))
		dir = filepath.Join(cache, "streaming-service", "functions", hex.EncodeToString(place[:8]))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making a place for built functions: %w", err)
	}
	return dir, nil
}
