// Command benchmark measures what the service promises of itself, on the spot:
// cold starts, sizes, delays, frames, load, units and costs. Each figure is
// printed with its target and with what it is compared to in the same run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	settings, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, help())
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "benchmark: %v (-help shows the flags)\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return measureAll(ctx, settings, stdout, stderr)
}

// settings are the flags.
type settings struct {
	rows    []row
	quick   bool
	node    bool
	litellm bool
}

func parse(args []string) (settings, error) {
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	only := flags.String("only", "", "")
	quick := flags.Bool("quick", false, "")
	node := flags.Bool("node", false, "")
	litellm := flags.Bool("litellm", false, "")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	if flags.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	chosen, err := choose(*only)
	return settings{rows: chosen, quick: *quick, node: *node, litellm: *litellm}, err
}

// choose returns the rows with the names of a comma-separated list; all rows
// for an empty one.
func choose(only string) ([]row, error) {
	if only == "" {
		return rows(), nil
	}
	var chosen []row
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(rows(), func(r row) bool { return r.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("-only %s: there is no row %q", only, name)
		}
		chosen = append(chosen, rows()[i])
	}
	return chosen, nil
}

func help() string {
	var text strings.Builder
	text.WriteString(`Usage: go run ./tests/benchmark [flags]

Measures the service and its local cloud on this machine and prints each figure
with its target. Progress goes to standard error. The exit code tells whether
everything was measured, not whether every target was met.

  -only ROW,…  these rows alone
  -quick       fewer repetitions and shorter streams
  -node        compare cold starts with Node.js and the AWS SDK for JavaScript,
               which npm installs into a temporary directory
  -litellm     compare the row openai with LiteLLM's proxy, which pip installs
               once into a virtual environment in the user's cache (750 MB)

Rows:
`)
	for _, r := range rows() {
		fmt.Fprintf(&text, "  %-8s  %s\n", r.name, r.title)
	}
	return text.String()
}
