package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/directory"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Forever is the end of a block without an end.
var Forever = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Status is what an operator sees of a user.
type Status struct {
	UserID       string         `json:"userId"`
	Email        string         `json:"email,omitempty"`
	Groups       []string       `json:"groups,omitempty"`
	Usage        protocol.Usage `json:"usage"`
	Override     *Override      `json:"override,omitempty"`
	Grant        *Grant         `json:"grant,omitempty"`
	BlockedUntil string         `json:"blockedUntil,omitempty"`
	Open         []string       `json:"open,omitempty"` // ids of open requests
}

// Override replaces limits of a user's tier; nil and empty fields do not.
type Override struct {
	Tier            string        `json:"tier,omitempty"`
	MonthlyRequests *int64        `json:"monthlyRequests,omitempty"`
	MonthlyTokens   *int64        `json:"monthlyTokens,omitempty"`
	MonthlyBudget   *protocol.USD `json:"monthlyBudget,omitempty"`
}

// Grant adds to the limits of a user until a time.
type Grant struct {
	Requests int64        `json:"requests"`
	Tokens   int64        `json:"tokens"`
	Budget   protocol.USD `json:"budget,omitzero"`
	Until    string       `json:"until"` // RFC 3339
}

// Show returns the status of a user, by e-mail address or sub.
func (o *Operator) Show(ctx context.Context, name string) (Status, error) {
	user, err := o.directory.Find(ctx, name)
	if err != nil {
		return Status{}, err
	}
	account, err := o.store.Account(ctx, user.ID)
	if err != nil {
		return Status{}, err
	}
	return o.status(user, account), nil
}

func (o *Operator) status(user directory.User, account life.Account) Status {
	now := o.now()
	allowance := life.AllowanceFor(o.tiers, user.Groups, account, now)
	s := Status{
		UserID: user.ID, Email: user.Email, Groups: user.Groups, Open: account.Open,
		Usage: life.UsageOf(account, allowance, o.calendar.Period(now), o.calendar.ResetsAt(now), len(o.prices) > 0),
	}
	override := Override{
		Tier: account.TierOverride, MonthlyRequests: account.OverrideRequests, MonthlyTokens: account.OverrideTokens, MonthlyBudget: account.OverrideBudget,
	}
	if override != (Override{}) {
		s.Override = &override
	}
	if g := account.Grant; now.Before(g.Until) {
		s.Grant = &Grant{Requests: g.Requests, Tokens: g.Tokens, Budget: g.Budget, Until: format(g.Until)}
	}
	if account.Blocked(now) {
		s.BlockedUntil = format(account.BlockedUntil)
	}
	return s
}

func format(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Set overrides what the override names and leaves the rest.
func (o *Operator) Set(ctx context.Context, name string, override Override) error {
	if override == (Override{}) {
		return errors.New("nothing to set")
	}
	if _, known := o.tiers.Groups[override.Tier]; override.Tier != "" && override.Tier != life.DefaultTier && !known {
		return fmt.Errorf("no tier %q is configured; tiers are %s", override.Tier, strings.Join(o.tierNames(), ", "))
	}
	if override.MonthlyBudget != nil && *override.MonthlyBudget > 0 && len(o.unpriced) > 0 {
		return fmt.Errorf("a budget needs a price in model.prices for every allowed model; without one are %s", strings.Join(o.unpriced, ", "))
	}
	return o.change(ctx, name, func(userID string) error {
		if override.Tier != "" {
			if err := o.store.OverrideTier(ctx, userID, override.Tier); err != nil {
				return err
			}
		}
		if override.MonthlyRequests != nil {
			if err := o.store.OverrideRequests(ctx, userID, *override.MonthlyRequests); err != nil {
				return err
			}
		}
		if override.MonthlyTokens != nil {
			if err := o.store.OverrideTokens(ctx, userID, *override.MonthlyTokens); err != nil {
				return err
			}
		}
		if override.MonthlyBudget == nil {
			return nil
		}
		return o.store.OverrideBudget(ctx, userID, *override.MonthlyBudget)
	})
}

func (o *Operator) tierNames() []string {
	names := []string{life.DefaultTier}
	for name := range o.tiers.Groups {
		names = append(names, name)
	}
	slices.Sort(names[1:])
	return names
}

// Clear removes every override of a user.
func (o *Operator) Clear(ctx context.Context, name string) error {
	return o.change(ctx, name, func(userID string) error { return o.store.ClearOverrides(ctx, userID) })
}

// Grant adds to the limits of a user until a time; it replaces an earlier grant.
func (o *Operator) Grant(ctx context.Context, name string, add Addition, until time.Time) error {
	if !until.After(o.now()) {
		return fmt.Errorf("a grant must end in the future, got %s", format(until))
	}
	if min(add.Requests, add.Tokens, int64(add.Budget)) < 0 || add == (Addition{}) {
		return fmt.Errorf("a grant must add requests, tokens or budget, got %d, %d and %s", add.Requests, add.Tokens, add.Budget)
	}
	grant := life.Grant{Requests: add.Requests, Tokens: add.Tokens, Budget: add.Budget, Until: until}
	return o.change(ctx, name, func(userID string) error { return o.store.Grant(ctx, userID, grant) })
}

// Addition is what a grant adds to monthly limits.
type Addition struct {
	Requests int64
	Tokens   int64
	Budget   protocol.USD
}

// Block refuses a user's requests until a time.
func (o *Operator) Block(ctx context.Context, name string, until time.Time) error {
	if !until.After(o.now()) {
		return fmt.Errorf("a block must end in the future, got %s", format(until))
	}
	return o.change(ctx, name, func(userID string) error { return o.store.Block(ctx, userID, until) })
}

// Unblock ends a block.
func (o *Operator) Unblock(ctx context.Context, name string) error {
	return o.change(ctx, name, func(userID string) error { return o.store.Block(ctx, userID, time.Time{}) })
}

func (o *Operator) change(ctx context.Context, name string, change func(userID string) error) error {
	user, err := o.directory.Find(ctx, name)
	if err != nil {
		return err
	}
	return change(user.ID)
}
