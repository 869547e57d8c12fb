package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/operator"
	"github.com/streaming-service/streaming-service/protocol"
)

var errHelp = errors.New("help")

// call is a parsed command line.
type call struct {
	local   string
	outputs string
	json    bool
	command command
}

type command func(context.Context, *operator.Operator, printer) error

func parse(args []string) (*call, error) {
	c := &call{}
	rest, err := parseFlags(c.flags(), args)
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		return nil, errHelp
	}
	build, known := commands[rest[0]]
	if !known {
		return nil, &usageError{fmt.Sprintf("unknown command %q", rest[0])}
	}
	if c.command, err = build(c.flags(), rest[1:]); err != nil {
		return nil, err
	}
	if (c.local == "") == (c.outputs == "") {
		return nil, &usageError{"give either -local URL or -outputs FILE"}
	}
	return c, nil
}

// flags are those of every command, which may stand before and behind its name.
func (c *call) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("quota", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.local, "local", c.local, "")
	flags.StringVar(&c.outputs, "outputs", c.outputs, "")
	flags.BoolVar(&c.json, "json", c.json, "")
	return flags
}

func parseFlags(flags *flag.FlagSet, args []string) (rest []string, err error) {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, errHelp
	case err != nil:
		return nil, &usageError{err.Error()}
	}
	return flags.Args(), nil
}

// parseUser parses USER with flags on either side.
func parseUser(flags *flag.FlagSet, args []string) (user string, err error) {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		user, args = args[0], args[1:]
	}
	rest, err := parseFlags(flags, args)
	if err != nil {
		return "", err
	}
	if user == "" && len(rest) == 1 {
		user, rest = rest[0], nil
	}
	if user == "" || len(rest) > 0 {
		return "", &usageError{fmt.Sprintf("want one USER, got %s", strconv.Quote(strings.Join(slices.Concat([]string{user}, rest), " ")))}
	}
	return user, nil
}

// percentage is a flag of a share of a limit, 0 to 100 and more.
type percentage float64

func (p *percentage) String() string { return "" }

func (p *percentage) Set(text string) error {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) {
		return errors.New("want a percentage of 0 or more")
	}
	*p = percentage(n)
	return nil
}

// optionalCount is a flag of a number of 0 or more that knows whether it was
// given.
type optionalCount struct{ value *int64 }

func (c *optionalCount) String() string { return "" }

func (c *optionalCount) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return errors.New("want a number of 0 or more")
	}
	c.value = &n
	return nil
}

func (c *optionalCount) orZero() int64 {
	if c.value == nil {
		return 0
	}
	return *c.value
}

// maxBudget is the largest budget, in dollars: that of the settings.
const maxBudget = 9_000_000

// optionalBudget is a flag of an amount of dollars that knows whether it was
// given.
type optionalBudget struct{ value *protocol.USD }

func (b *optionalBudget) String() string { return "" }

func (b *optionalBudget) Set(text string) error {
	amount, err := protocol.ParseUSD(text)
	if err != nil || amount < 0 || amount > maxBudget*protocol.Dollar || amount%1_000 != 0 {
		return fmt.Errorf("want dollars from 0 to %d with at most 6 decimals", maxBudget)
	}
	b.value = &amount
	return nil
}

func (b *optionalBudget) orZero() protocol.USD {
	if b.value == nil {
		return 0
	}
	return *b.value
}

// parseTime reads RFC 3339, a date in UTC, or a duration from now.
func parseTime(text string, now time.Time) (time.Time, error) {
	if after, err := time.ParseDuration(text); err == nil {
		return now.Add(after), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &usageError{fmt.Sprintf("-until %q is no RFC 3339 time, date or duration", text)}
}
