package start_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/start"
)

// What is set is the process's: this test runs alone.
//
//nolint:paralleltest // as it says
func TestTheShareOfAMachineIsUsed(t *testing.T) {
	percent, limit, processors := debug.SetGCPercent(100), debug.SetMemoryLimit(-1), runtime.GOMAXPROCS(0)
	restore := func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
		runtime.GOMAXPROCS(processors)
	}
	t.Cleanup(restore)
	for size, want := range map[string]struct {
		limit      int64
		percent    int
		processors int
	}{
		"":     {limit, percent, processors},
		"128":  {96 << 20, 400, 1},
		"256":  {192 << 20, 400, 1},
		"1769": {1_391_198_208, 400, 1},
		"1770": {1_391_984_640, 400, min(2, runtime.NumCPU())},
	} {
		restore()
		start.UseShare(func(name string) string { return map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": size}[name] })
		if got := debug.SetMemoryLimit(-1); got != want.limit {
			t.Errorf("%q MB: limit %d, want %d", size, got, want.limit)
		}
		if got := debug.SetGCPercent(100); got != want.percent {
			t.Errorf("%q MB: garbage %d %%, want %d", size, got, want.percent)
		}
		if got := runtime.GOMAXPROCS(0); got != want.processors {
			t.Errorf("%q MB: %d processors, want %d", size, got, want.processors)
		}
	}
}
