package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud"
)

const help = `Runs the whole service on this machine.

Usage: go run ./cmd/local [flags]

  -addr host:port   address to serve on; port 0 picks a free one (127.0.0.1:8080)
  -stack name       stack whose configuration is run, Pulumi.<name>.yaml (dev)
  -c path=value     overrides one value of it, as "pulumi config set --path"; repeatable
  -model name       scripted: a deterministic model in this process (the default)
                    bedrock: the real Bedrock, with your AWS credentials
  -data dir         keeps users, keys, tables, queues and objects in dir between runs
  -seed n           seed of injected faults (1)
  -help             shows this text

Examples:

  go run ./cmd/local
  go run ./cmd/local -addr 127.0.0.1:0 -c quota.monthlyRequests=10
  go run ./cmd/local -data ~/.streaming-service -model bedrock

When the service is ready, "ready: http://host:port" is printed to standard
output; open that address. Any AWS SDK or CLI reaches the local DynamoDB, SQS,
Cognito, Lambda and Bedrock with these variables (adapt the address):

  AWS_ENDPOINT_URL=http://127.0.0.1:8080 AWS_REGION=us-east-1
  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local

Exit status: 0 after an interrupt, 1 when something failed, 2 for bad flags, 130
when interrupted before it was ready.
`

var errHelp = errors.New("help requested")

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// parse reads the flags.
func parse(args []string) (localcloud.Options, error) {
	var options localcloud.Options
	var overrides list
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&options.Addr, "addr", "127.0.0.1:8080", "")
	flags.StringVar(&options.Stack, "stack", "dev", "")
	flags.Var(&overrides, "c", "")
	flags.StringVar(&options.Model, "model", localcloud.ModelScripted, "")
	flags.StringVar(&options.DataDir, "data", "", "")
	options.Seed = 1
	flags.Func("seed", "", func(text string) (err error) {
		if options.Seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return errors.New("want a number of 0 or more")
		}
		return nil
	})
	err := flags.Parse(args)
	options.Overrides = overrides
	switch {
	case errors.Is(err, flag.ErrHelp):
		return options, errHelp
	case err != nil:
		return options, err
	case flags.NArg() > 0:
		return options, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case !slices.Contains([]string{localcloud.ModelScripted, localcloud.ModelBedrock}, options.Model):
		return options, fmt.Errorf("-model %s: want scripted or bedrock", options.Model)
	}
	return options, nil
}
