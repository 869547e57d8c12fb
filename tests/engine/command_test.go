package engine_test

import (
	"context"
	"io"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// operations is the CLI without two questions that Automation API asks it after
// every operation, for the outputs and the history of the stack, each with a
// start of the CLI. The tests read the state and the events.
type operations struct{ auto.PulumiCommand }

// Run implements auto.PulumiCommand.
func (o operations) Run(ctx context.Context, dir string, stdin io.Reader, stdout, stderr []io.Writer, environment []string, args ...string) (string, string, int, error) {
	if len(args) > 1 && args[0] == "stack" {
		switch args[1] {
		case "output":
			return "{}", "", 0, nil
		case "history":
			return "[]", "", 0, nil
		}
	}
	return o.PulumiCommand.Run(ctx, dir, stdin, stdout, stderr, environment, args...)
}

// command is the CLI in the directory that pulumi or pulumiWithYAML returned.
func command(t testing.TB, dir string) auto.PulumiCommand {
	t.Helper()
	cli, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	return operations{cli}
}
