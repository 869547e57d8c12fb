package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/operator"
)

// commands build the commands from their arguments.
var commands = map[string]func(flags *flag.FlagSet, args []string) (command, error){
	"show":    show,
	"set":     set,
	"clear":   onUser((*operator.Operator).Clear),
	"grant":   grant,
	"block":   block,
	"unblock": onUser((*operator.Operator).Unblock),
	"list":    list,
	"export":  export,
	"records": records,
	"audit":   audit,
	"keys":    keys,
	"revoke":  revoke,
}

func show(flags *flag.FlagSet, args []string) (command, error) {
	user, err := parseUser(flags, args)
	return showUser(user), err
}

func showUser(user string) command {
	return func(ctx context.Context, o *operator.Operator, p printer) error {
		status, err := o.Show(ctx, user)
		if err != nil {
			return err
		}
		return p.status(status)
	}
}

// onUser is a change of a user without flags; it shows the user afterwards.
func onUser(change func(*operator.Operator, context.Context, string) error) func(*flag.FlagSet, []string) (command, error) {
	return func(flags *flag.FlagSet, args []string) (command, error) {
		user, err := parseUser(flags, args)
		return thenShow(user, func(ctx context.Context, o *operator.Operator) error { return change(o, ctx, user) }), err
	}
}

func thenShow(user string, change func(context.Context, *operator.Operator) error) command {
	return func(ctx context.Context, o *operator.Operator, p printer) error {
		if err := change(ctx, o); err != nil {
			return err
		}
		return showUser(user)(ctx, o, p)
	}
}

func set(flags *flag.FlagSet, args []string) (command, error) {
	var requests, tokens optionalCount
	var budget optionalBudget
	var override operator.Override
	flags.Var(&requests, "requests", "")
	flags.Var(&tokens, "tokens", "")
	flags.Var(&budget, "budget", "")
	flags.StringVar(&override.Tier, "tier", "", "")
	user, err := parseUser(flags, args)
	if err != nil {
		return nil, err
	}
	override.MonthlyRequests, override.MonthlyTokens, override.MonthlyBudget = requests.value, tokens.value, budget.value
	if override == (operator.Override{}) {
		return nil, &usageError{"set wants -requests, -tokens, -budget or -tier"}
	}
	return thenShow(user, func(ctx context.Context, o *operator.Operator) error { return o.Set(ctx, user, override) }), nil
}

func grant(flags *flag.FlagSet, args []string) (command, error) {
	var requests, tokens optionalCount
	var budget optionalBudget
	var until string
	flags.Var(&requests, "requests", "")
	flags.Var(&tokens, "tokens", "")
	flags.Var(&budget, "budget", "")
	flags.StringVar(&until, "until", "", "")
	user, err := parseUser(flags, args)
	if err != nil {
		return nil, err
	}
	if until == "" {
		return nil, &usageError{"grant wants -until"}
	}
	end, err := parseTime(until, time.Now())
	return thenShow(user, func(ctx context.Context, o *operator.Operator) error {
		return o.Grant(ctx, user, operator.Addition{Requests: requests.orZero(), Tokens: tokens.orZero(), Budget: budget.orZero()}, end)
	}), err
}

func block(flags *flag.FlagSet, args []string) (command, error) {
	var until string
	flags.StringVar(&until, "until", "", "")
	user, err := parseUser(flags, args)
	if err != nil {
		return nil, err
	}
	end := operator.Forever
	if until != "" {
		if end, err = parseTime(until, time.Now()); err != nil {
			return nil, err
		}
	}
	return thenShow(user, func(ctx context.Context, o *operator.Operator) error { return o.Block(ctx, user, end) }), nil
}

func list(flags *flag.FlagSet, args []string) (command, error) {
	var near percentage
	flags.Var(&near, "near", "")
	if err := onlyFlags(flags, args); err != nil {
		return nil, err
	}
	return func(ctx context.Context, o *operator.Operator, p printer) error {
		statuses, err := o.List(ctx, float64(near)/100)
		if err != nil {
			return err
		}
		return p.statuses(statuses, near)
	}, nil
}

func export(flags *flag.FlagSet, args []string) (command, error) {
	period, err := parsePeriod(flags, args)
	return func(ctx context.Context, o *operator.Operator, p printer) error {
		entries, err := o.Export(ctx, period)
		if err != nil {
			return err
		}
		return p.entries(entries, period)
	}, err
}

func records(flags *flag.FlagSet, args []string) (command, error) {
	user, err := parseUser(flags, args)
	return func(ctx context.Context, o *operator.Operator, p printer) error {
		all, err := o.Records(ctx, user)
		if err != nil {
			return err
		}
		return p.records(all, user)
	}, err
}

func keys(flags *flag.FlagSet, args []string) (command, error) {
	user, err := parseUser(flags, args)
	return showKeys(user), err
}

func showKeys(user string) command {
	return func(ctx context.Context, o *operator.Operator, p printer) error {
		all, err := o.Keys(ctx, user)
		if err != nil {
			return err
		}
		return p.keys(all, user)
	}
}

// revoke deletes one key or all, and shows what is left.
func revoke(flags *flag.FlagSet, args []string) (command, error) {
	var key string
	var all bool
	flags.StringVar(&key, "key", "", "")
	flags.BoolVar(&all, "all", false, "")
	user, err := parseUser(flags, args)
	if err != nil {
		return nil, err
	}
	if (key == "") == !all {
		return nil, &usageError{"revoke wants either -key or -all"}
	}
	return func(ctx context.Context, o *operator.Operator, p printer) error {
		change := func() error { return o.RevokeKey(ctx, user, key) }
		if all {
			change = func() error { return o.RevokeKeys(ctx, user) }
		}
		if err := change(); err != nil {
			return err
		}
		return showKeys(user)(ctx, o, p)
	}, nil
}

func audit(flags *flag.FlagSet, args []string) (command, error) {
	period, err := parsePeriod(flags, args)
	return func(ctx context.Context, o *operator.Operator, p printer) error {
		drifts, users, err := o.Audit(ctx, period)
		if err != nil {
			return err
		}
		if err := p.drifts(drifts, users); err != nil {
			return err
		}
		if len(drifts) > 0 {
			return errDrift
		}
		return nil
	}, err
}

func parsePeriod(flags *flag.FlagSet, args []string) (period string, err error) {
	flags.StringVar(&period, "period", "", "")
	return period, onlyFlags(flags, args)
}

func onlyFlags(flags *flag.FlagSet, args []string) error {
	rest, err := parseFlags(flags, args)
	if err == nil && len(rest) > 0 {
		err = &usageError{fmt.Sprintf("unexpected argument %q", rest[0])}
	}
	return err
}
