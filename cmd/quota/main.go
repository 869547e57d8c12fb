// Command quota is the operator's tool: it shows, changes, lists, exports and
// audits the quotas of users, on AWS or on a local cloud.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/streaming-service/streaming-service/lambdas/operator"
)

const help = `quota shows and changes what users of a streaming service may spend.

  quota -local URL    [-json] COMMAND     a running local cloud
  quota -outputs FILE [-json] COMMAND     a deployed service

Commands. USER is an e-mail address or the sub of the user's tokens.

  show USER                     limits, usage, override, grant, block
  set USER [-requests N] [-tokens N] [-budget DOLLARS] [-tier NAME]
                                override monthly limits; 0 is unlimited
  clear USER                    remove the override
  grant USER [-requests N] [-tokens N] [-budget DOLLARS] -until TIME
                                add to the monthly limits until TIME
  block USER [-until TIME]      refuse new requests, for good or until TIME
  unblock USER
  list [-near PERCENT]          all users, or those that have used at least
                                PERCENT of a limit; the nearest to one first
  export [-period 2026-11]      what every user spent
  records USER                  what each request of a user cost
  keys USER                     the personal keys of a user
  revoke USER -key ID | -all    delete one of them, or all
  audit [-period 2026-11]       recompute the counters from the requests and
                                report drift; exit 3 if there is any. Of
                                money the counters are nano-dollars

TIME is RFC 3339 (2026-12-01T00:00:00Z), a date, or a duration from now (72h).

Flags, before or behind the command

  -local URL      its address, such as http://127.0.0.1:8080
  -outputs FILE   what "pulumi stack output --json" prints; - is standard
                  input. The AWS credentials are those of the environment.
  -json           JSON instead of a table
`

// Exit codes besides 0.
const (
	exitFailure = 1
	exitUsage   = 2
	exitDrift   = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// usageError is a mistake on the command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

// errDrift ends an audit that found drift.
var errDrift = errors.New("the counters drift")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	call, err := parse(args)
	if err == nil {
		err = call.execute(ctx, stdout)
	}
	usage := (*usageError)(nil)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errHelp):
		_, _ = io.WriteString(stdout, help)
		return 0
	case errors.Is(err, errDrift):
		return exitDrift
	case errors.As(err, &usage):
		_, _ = fmt.Fprintln(stderr, "quota:", err, "(-help lists commands and flags)")
		return exitUsage
	default:
		_, _ = fmt.Fprintln(stderr, "quota:", err)
		return exitFailure
	}
}

// execute connects and runs the command.
func (c *call) execute(ctx context.Context, stdout io.Writer) error {
	target, err := c.target(ctx)
	if err != nil {
		return err
	}
	o, err := operator.Connect(ctx, target)
	if err != nil {
		return err
	}
	return c.command(ctx, o, printer{w: stdout, json: c.json})
}

func (c *call) target(ctx context.Context) (operator.Target, error) {
	if c.local != "" {
		return localTarget(ctx, c.local)
	}
	return fileTarget(c.outputs)
}
