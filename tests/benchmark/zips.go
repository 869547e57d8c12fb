package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

// zipTarget is the most that a deployment package may have, bytes.
const zipTarget = 4_000_000

// measureZips builds every function for both architectures of Lambda.
func measureZips(ctx context.Context, b *bench) (result, error) {
	var r result
	builder := functionbuild.New(functionbuild.WithProgress(func(e functionbuild.Event) {
		if e.Done {
			b.progress("built %s in %s", e.Function, e.Elapsed.Round(time.Millisecond))
		}
	}))
	for _, function := range components.Functions() {
		arm, err := zipSize(ctx, builder, function, "arm64")
		if err != nil {
			return r, err
		}
		amd, err := zipSize(ctx, builder, function, "x86_64")
		if err != nil {
			return r, err
		}
		r.add(measure{
			what: function, value: "arm64 " + megabytes(arm), spread: "x86_64 " + megabytes(amd),
			target: "≤ 4 MB", met: max(arm, amd) <= zipTarget,
		})
	}
	r.note("1 MB = 1,000,000 bytes")
	return r, nil
}

func zipSize(ctx context.Context, builder *functionbuild.Builder, function, architecture string) (int64, error) {
	path, err := builder.Build(ctx, function, architecture)
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("measuring function %s: %w", function, err)
	}
	return info.Size(), nil
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.2f MB", float64(bytes)/1e6) }
