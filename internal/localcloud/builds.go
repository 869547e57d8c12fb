package localcloud

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

// builds provides the functions to the program and keeps the first failure,
// which tells more than the program's own error.
type builds struct {
	run   context.Context // of the start; its end stops the builds
	inner Builder

	mu      sync.Mutex
	failure error
}

// Build implements Builder.
func (b *builds) Build(_ context.Context, function, architecture string) (string, error) {
	zip, err := b.inner.Build(b.run, function, architecture)
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.failure == nil {
			b.failure = fmt.Errorf("building function %s: %s", function, compilerLines(err))
		}
	}
	return zip, err
}

func (b *builds) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failure
}

// maxCompilerLines are shown of a failing build.
const maxCompilerLines = 3

// compilerLines picks what the compiler says from the error of a build.
func compilerLines(err error) string {
	var found []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		line = strings.TrimSpace(line)
		if strings.Contains(line, ".go:") && len(found) < maxCompilerLines {
			found = append(found, line)
		}
	}
	if found == nil {
		return strings.Join(strings.Fields(err.Error()), " ")
	}
	return strings.Join(found, "; ")
}

// newBuilder compiles the functions of the project for this machine.
func newBuilder(o Options, functions int) Builder {
	options := []functionbuild.Option{
		functionbuild.ForHost(), functionbuild.WithSource(o.Root),
		functionbuild.WithProgress(progress(o.Progress, functions)),
	}
	if o.DataDir != "" {
		options = append(options, functionbuild.WithOutputDir(filepath.Join(o.DataDir, "functions")))
	}
	return functionbuild.New(options...)
}

// progress writes a line when a build begins; functions is 0 if nobody knows how
// many there will be.
func progress(w io.Writer, functions int) functionbuild.Progress {
	var mu sync.Mutex
	begun := 0
	return func(e functionbuild.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Done {
			return
		}
		begun++
		if functions == 0 {
			_, _ = fmt.Fprintf(w, "building %s …\n", e.Function)
			return
		}
		_, _ = fmt.Fprintf(w, "building %s (%d/%d) …\n", e.Function, begun, functions)
	}
}
