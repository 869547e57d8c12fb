// Command local runs the whole service on this machine: the Pulumi program of
// the project, its compiled functions and the parts of AWS that they use.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localservice"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// stopTimeout is how long an orderly end may take.
const stopTimeout = 1800 * time.Millisecond

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	options, err := parse(args)
	switch {
	case errors.Is(err, errHelp):
		_, _ = io.WriteString(stdout, help)
		return exitOK
	case err != nil:
		return usageError(stderr, err)
	}
	return serve(options, stdout, stderr)
}

// serve runs the cloud until an interrupt and returns the exit code.
func serve(options localcloud.Options, stdout, stderr io.Writer) int {
	options.Progress = stderr
	options.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))

	ctx, stop := untilSignal(context.Background())
	defer stop()
	cloud, err := localcloud.New(localservice.Program(), options)
	if err != nil {
		return failure(stderr, err)
	}
	if err := startUntil(ctx, cloud); err != nil {
		if !errors.Is(err, errStarting) {
			_ = closeWithin(cloud)
		}
		if ctx.Err() != nil {
			return exitInterrupted
		}
		return failure(stderr, err)
	}
	_, _ = fmt.Fprintf(stdout, "ready: %s\n", cloud.URL())
	_, _ = io.WriteString(stderr, cloud.Welcome())

	<-ctx.Done()
	if err := closeWithin(cloud); err != nil {
		return failure(stderr, err)
	}
	return exitOK
}

// failure prints an error and returns the exit code for it.
func failure(stderr io.Writer, err error) int {
	if _, ok := errors.AsType[*localcloud.UsageError](err); ok {
		return usageError(stderr, err)
	}
	_, _ = fmt.Fprintf(stderr, "local: %s\n", withOnlyProblem(err.Error()))
	return exitFailed
}

// withOnlyProblem puts the only problem of a list on the line of its head.
func withOnlyProblem(message string) string {
	head, problem, listed := strings.Cut(message, ":\n")
	if !listed || strings.Contains(problem, "\n") {
		return message
	}
	return head + ": " + problem
}

func usageError(stderr io.Writer, err error) int {
	_, _ = fmt.Fprintf(stderr, "local: %v (-help shows the flags)\n", err)
	return exitUsage
}

// errStarting is a start that goes on although it was interrupted.
var errStarting = errors.New("the start does not end")

// startUntil starts the cloud. After an interrupt it waits only shortly.
func startUntil(ctx context.Context, cloud *localcloud.Cloud) error {
	started := make(chan error, 1)
	go func() { started <- cloud.Start(ctx) }()
	select {
	case err := <-started:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-started:
		return errors.Join(err, ctx.Err())
	case <-time.After(stopTimeout / 2):
		return errStarting
	}
}

// untilSignal returns a context that the first interrupt ends; a second one
// ends the process at once.
func untilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case <-signals:
		case <-orphaned(ctx):
		case <-ctx.Done():
			return
		}
		cancel()
		<-signals
		os.Exit(exitInterrupted)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

// closeWithin ends the cloud, or gives up when that takes too long.
func closeWithin(cloud *localcloud.Cloud) error {
	closed := make(chan error, 1)
	go func() { closed <- cloud.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(stopTimeout / 2):
		return errors.New("stopping took too long")
	}
}
