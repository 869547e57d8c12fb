package start_test

import (
	"runtime/debug"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/start"
)

// The limits of the garbage collector are those of the process: this test runs
// alone.
//
//nolint:paralleltest // as it says
func TestMemoryOfTheFunctionIsUsed(t *testing.T) {
	before, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() {
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(limit)
	})
	for size, want := range map[string]struct {
		limit   int64
		percent int
	}{
		"":    {limit, 100},
		"256": {192 << 20, 400},
		"128": {96 << 20, 400},
	} {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(100)
		start.UseMemory(func(name string) string { return map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": size}[name] })
		if got := debug.SetMemoryLimit(-1); got != want.limit {
			t.Errorf("%q MB: limit %d, want %d", size, got, want.limit)
		}
		if got := debug.SetGCPercent(100); got != want.percent {
			t.Errorf("%q MB: garbage %d %%, want %d", size, got, want.percent)
		}
	}
}
