package main

import (
	"context"
	"fmt"
	"io"
)

// row is one thing that is measured.
type row struct {
	name    string
	title   string
	measure func(context.Context, *bench) (result, error)
}

// rows returns all rows in the order in which they are measured.
func rows() []row {
	return []row{
		{"preview", "Preview of the component under mocks", measurePreview},
		{"zips", "Deployment packages of the functions", measureZips},
		{"cold", "Cold start of a function, exec to its first call of /next", measureColdStarts},
		{"first", "Time to the first delta, submit to client, warm", measureFirstDelta},
		{"openai", "Time to the first word of a streamed completion, warm", measureOpenAI},
		{"frames", "WebSocket frames of 1,000 tokens at 80 tokens/s", measureFrames},
		{"load", "Concurrent streams at 50 tokens/s through one processor process", measureLoad},
		{"units", "What a request of 1 KB with an answer of 1,000 tokens uses", measureUnits},
		{"limits", "Admission with all limits on", measureLimits},
		{"paths", "What a request costs beside the model, by the way its answer takes", measurePaths},
		{"memory", "What the memory of the processor does to its answers", measureMemory},
		{"capacity", "Which limit of AWS binds first", measureCapacity},
		{"start", "Start of the local cloud", measureStarts},
	}
}

// measureAll measures the rows one after the other, so that none disturbs
// another, and prints each as soon as it is done.
func measureAll(ctx context.Context, s settings, stdout, stderr io.Writer) int {
	b, err := newBench(s, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "benchmark: %v\n", err)
		return exitFailed
	}
	defer b.close()
	fmt.Fprintln(stdout, machine())
	var all []measure
	code := exitOK
	for i, r := range s.rows {
		b.progress("%s (%d/%d): %s", r.name, i+1, len(s.rows), r.title)
		done, err := r.measure(ctx, b)
		if ctx.Err() != nil {
			fmt.Fprintln(stderr, "benchmark: interrupted")
			code = exitInterrupted
			break
		}
		if err != nil {
			fmt.Fprintf(stderr, "benchmark: measuring %s: %v\n", r.name, err)
			done.notes = append(done.notes, "NOT MEASURED: "+err.Error())
			code = exitFailed
		}
		fmt.Fprint(stdout, done.format(r))
		all = append(all, done.measures...)
	}
	fmt.Fprint(stdout, verdict(all))
	return code
}
