package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// startTarget is the longest that a second start may take.
const startTarget = 5 * time.Second

// stopTarget is the longest that the end after an interrupt may take.
const stopTarget = 2 * time.Second

// measureStarts starts the local cloud as a command: once without the functions
// built before, then with them.
func measureStarts(ctx context.Context, b *bench) (result, error) {
	var r result
	executable := filepath.Join(b.dir, "local")
	b.progress("start: building cmd/local")
	if err := buildLocal(ctx, executable); err != nil {
		return r, err
	}
	begun := time.Now()
	if err := buildLocal(ctx, executable); err != nil {
		return r, err
	}
	check := time.Since(begun)
	data := filepath.Join(b.dir, "data")
	b.progress("start: the first one")
	first, _, err := startLocal(ctx, executable, data)
	if err != nil {
		return r, err
	}
	var again, ends sample
	for range b.times(5, 2) {
		took, end, err := startLocal(ctx, executable, data)
		if err != nil {
			return r, err
		}
		again, ends = append(again, took), append(ends, end)
	}
	second := again.median() + check
	r.add(measure{what: "first start, functions not built", value: seconds(first + check)})
	r.add(measure{
		what: "second start", value: seconds(second), spread: "max " + seconds(again.at(1)+check),
		beside: "the first one took " + ratio(float64(first+check), float64(second)), target: "≤ 5 s", met: second <= startTarget,
	})
	r.add(measure{what: "  of it, what go run does before", value: seconds(check)})
	r.add(measure{what: "end after an interrupt", value: milliseconds(ends.median()), spread: "max " + milliseconds(ends.at(1)), target: "≤ 2 s", met: ends.at(1) <= stopTarget})
	r.note("go run ./cmd/local to the line \"ready:\"; Go's own build cache is warm throughout")
	return r, nil
}

func buildLocal(ctx context.Context, executable string) error {
	output, err := exec.CommandContext(ctx, "go", "build", "-o", executable, "github.com/streaming-service/streaming-service/cmd/local").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building cmd/local: %w: %s", err, firstLine(string(output)))
	}
	return nil
}

// startLocal returns how long a local cloud takes to be ready, and to end.
func startLocal(ctx context.Context, executable, data string) (ready, end time.Duration, err error) {
	command := exec.CommandContext(ctx, executable, "-addr", "127.0.0.1:0", "-data", data)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // so that it ends its functions
	command.WaitDelay = 2 * stopTarget
	stdout, err := command.StdoutPipe()
	if err != nil {
		return 0, 0, fmt.Errorf("starting the local cloud: %w", err)
	}
	var stderr strings.Builder
	command.Stderr = &stderr
	begun := time.Now()
	if err := command.Start(); err != nil {
		return 0, 0, fmt.Errorf("starting the local cloud: %w", err)
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n') // without the line it ended, as Wait tells
	ready = time.Since(begun)
	begun = time.Now()
	_ = command.Process.Signal(os.Interrupt) // as above
	if err := command.Wait(); err != nil || !strings.HasPrefix(line, "ready: ") {
		return 0, 0, fmt.Errorf("the local cloud did not start: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return ready, time.Since(begun), nil
}
