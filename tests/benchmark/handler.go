package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// handlerBenchmark runs the processor's handler, relay and log in a process of
// their own, against a model, sockets and tables that are fakes in it.
var handlerBenchmark = []string{
	"test", "-run", "^$", "-bench", "^BenchmarkThousandStreams$", "-benchtime", "1x",
	"github.com/streaming-service/streaming-service/lambdas/internal/processor",
}

// loadHandler runs a thousand streams through the handler alone.
func (b *bench) loadHandler(ctx context.Context, r *result) error {
	b.progress("load: the handler alone, with fakes in place of AWS")
	output, err := exec.CommandContext(ctx, "go", handlerBenchmark...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running the benchmark of the processor: %w: %s", err, firstLine(string(output)))
	}
	got := metricsOf(string(output))
	if got["frames/stream"] == 0 {
		return fmt.Errorf("the benchmark of the processor reports no frames: %s", output)
	}
	ms := func(unit string) string { return milliseconds(time.Duration(got[unit] * float64(time.Millisecond))) }
	memory := int64(got["peak-MiB"] * (1 << 20))
	r.add(measure{
		what: "handler alone, 1,000 streams", value: fmt.Sprintf("%g lost, %g reordered", got["lost"], got["reordered"]),
		spread: fmt.Sprintf("%g frames a stream", got["frames/stream"]), target: "none lost, none reordered", met: got["lost"]+got["reordered"] == 0,
	})
	r.add(measure{
		what: "  added to a frame's first token", value: "p50 " + ms("p50-added-ms"), spread: "p99 " + ms("p99-added-ms"),
		beside: "flush interval 200 ms, posts of 5 ms",
	})
	r.add(measure{what: "  resident memory, handler alone", value: "max " + megabytes(memory), target: "≤ 256 MB", met: memory <= memoryTarget})
	return nil
}

// metricsOf reads the figures of a benchmark by their units.
func metricsOf(output string) map[string]float64 {
	metrics := map[string]float64{}
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "Benchmark") {
			continue
		}
		fields := strings.Fields(line)
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				metrics[fields[i+1]] = value
			}
		}
	}
	return metrics
}
