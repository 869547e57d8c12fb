package life_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestAllowanceFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	tiers := environment.Tiers{
		Default: environment.Limits{MonthlyRequests: 10, MonthlyTokens: 100},
		Groups: map[string]environment.Limits{
			"gold":   {MonthlyRequests: 1000, MonthlyTokens: 500},
			"silver": {MonthlyRequests: 50, MonthlyTokens: 5000, MonthlyBudget: 4},
			"poor":   {MonthlyRequests: 3, MonthlyTokens: 3, MonthlyBudget: 9},
			"staff":  {MonthlyRequests: 0, MonthlyTokens: 20},
			"vip":    {MonthlyRequests: 1, MonthlyTokens: 1},
		},
		Order: []string{"vip", "staff"},
	}
	allowance := func(tier string, requests, tokens int64) life.Allowance {
		return life.Allowance{Tier: tier, Limits: environment.Limits{MonthlyRequests: requests, MonthlyTokens: tokens}}
	}
	budget := func(a life.Allowance, amount protocol.USD) life.Allowance {
		a.MonthlyBudget = amount
		return a
	}
	tests := []struct {
		name    string
		groups  []string
		account life.Account
		want    life.Allowance
	}{
		{"no group", nil, life.Account{}, allowance("default", 10, 100)},
		{"no tier among the groups", []string{"admins"}, life.Account{}, allowance("default", 10, 100)},
		{"one tier", []string{"admins", "silver"}, life.Account{}, budget(allowance("silver", 50, 5000), 4)},
		{"the best of each limit", []string{"silver", "gold"}, life.Account{}, allowance("gold", 1000, 5000)},
		{"the tier of lowest precedence", []string{"gold", "silver", "vip"}, life.Account{}, allowance("vip", 1000, 5000)},
		{"no precedence comes last", []string{"gold", "vip"}, life.Account{}, allowance("vip", 1000, 500)},
		{"unlimited is the best", []string{"staff", "gold"}, life.Account{}, allowance("staff", 0, 500)},
		{"override by tier", []string{"gold"}, life.Account{TierOverride: "silver"}, budget(allowance("silver", 50, 5000), 4)},
		{"override by the default", []string{"gold"}, life.Account{TierOverride: "default"}, allowance("default", 10, 100)},
		{"override by a tier that is gone", []string{"gold"}, life.Account{TierOverride: "bronze"}, allowance("gold", 1000, 500)},
		{"override by number", nil, life.Account{OverrideRequests: new(int64(3)), OverrideTokens: new(int64(0))}, allowance("default", 3, 0)},
		{"the best budget", []string{"silver", "poor"}, life.Account{}, budget(allowance("poor", 50, 5000), 9)},
		{"no budget is the best", []string{"gold", "poor"}, life.Account{}, allowance("gold", 1000, 500)},
		{"override of the budget", []string{"poor"}, life.Account{OverrideBudget: new(protocol.USD(3))}, budget(allowance("poor", 3, 3), 3)},
		{"override of the budget by none", []string{"poor"}, life.Account{OverrideBudget: new(protocol.USD(0))}, allowance("poor", 3, 3)},
		{"grant of budget", []string{"poor"}, life.Account{Grant: life.Grant{Budget: 5, Until: now.Add(time.Second)}}, budget(allowance("poor", 3, 3), 14)},
		{"grant of budget to who has none", nil, life.Account{Grant: life.Grant{Budget: 5, Until: now.Add(time.Second)}}, allowance("default", 10, 100)},
		{"grant", nil, life.Account{Grant: life.Grant{Requests: 5, Tokens: 50, Until: now.Add(time.Second)}}, allowance("default", 15, 150)},
		{"grant that is over", nil, life.Account{Grant: life.Grant{Requests: 5, Tokens: 50, Until: now}}, allowance("default", 10, 100)},
		{"grant beyond all numbers", []string{"gold"}, life.Account{Grant: life.Grant{Tokens: math.MaxInt64, Until: now.Add(time.Second)}}, allowance("gold", 1000, math.MaxInt64)},
		{"grant to the unlimited", []string{"staff"}, life.Account{Grant: life.Grant{Requests: 5, Until: now.Add(time.Second)}}, allowance("staff", 0, 20)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := life.AllowanceFor(tiers, test.groups, test.account, now); got != test.want {
				t.Errorf("AllowanceFor = %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestUsageOf(t *testing.T) {
	t.Parallel()
	resets := time.Date(2026, 12, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
	account := life.Account{InFlight: 2, Months: map[string]life.Month{"2026-11": {Used: 12, Tokens: 60, Held: 90}}}
	limited := life.Allowance{Tier: "gold", Limits: environment.Limits{MonthlyRequests: 10, MonthlyTokens: 100}}
	got := life.UsageOf(account, limited, "2026-11", resets, false)
	want := protocol.Usage{
		Period: "2026-11", ResetsAt: "2026-11-30T23:00:00Z", Tier: "gold",
		Requests: protocol.RequestsUsage{Limit: new(int64(10)), Used: 12, Remaining: new(int64(0))},
		Tokens:   protocol.TokensUsage{Limit: new(int64(100)), Used: 60, Reserved: 30, Remaining: new(int64(10))},
		InFlight: 2,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("UsageOf = %+v, want %+v", got, want)
	}
	unlimited := life.UsageOf(account, life.Allowance{Tier: "default"}, "2026-12", resets, true)
	if want := (protocol.BudgetUsage{Currency: "USD"}); unlimited.Budget == nil || *unlimited.Budget != want {
		t.Errorf("unlimited budget = %+v, want %+v", unlimited.Budget, want)
	}
	account.Months["2026-11"] = life.Month{Cost: 7, HeldCost: 12}
	limited.MonthlyBudget = 20
	budgeted := life.UsageOf(account, limited, "2026-11", resets, true).Budget
	if want := (protocol.BudgetUsage{Currency: "USD", Limit: new(protocol.USD(20)), Used: 7, Reserved: 5, Remaining: new(protocol.USD(8))}); !reflect.DeepEqual(*budgeted, want) {
		t.Errorf("budget = %+v, want %+v", *budgeted, want)
	}
	if unlimited.Requests.Limit != nil || unlimited.Tokens.Remaining != nil || unlimited.Requests.Used != 0 {
		t.Errorf("unlimited = %+v", unlimited)
	}
}

func TestAdmittedLeavesTheReadingAlone(t *testing.T) {
	t.Parallel()
	before := life.Account{InFlight: 1, Open: []string{"a"}, Months: map[string]life.Month{"p": {Used: 1, Held: 5}}}
	after := before.Admitted(life.Record{Key: life.Key{RequestID: "b"}, Period: "p", Estimate: 7})
	if after.InFlight != 2 || !reflect.DeepEqual(after.Open, []string{"a", "b"}) || after.Months["p"] != (life.Month{Used: 2, Held: 12}) {
		t.Errorf("after = %+v", after)
	}
	if before.InFlight != 1 || len(before.Open) != 1 || before.Months["p"] != (life.Month{Used: 1, Held: 5}) {
		t.Errorf("before = %+v", before)
	}
}

func TestCheckBlocked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	a := life.Admission{Now: now, ResetsAt: now.Add(time.Hour)}
	if r := a.Check(life.Account{BlockedUntil: now.Add(time.Millisecond)}); r == nil || r.Code != protocol.CodeBlocked || r.RetryAfter != 0 {
		t.Errorf("blocked: %+v", r)
	}
	if r := a.Check(life.Account{BlockedUntil: now}); r != nil {
		t.Errorf("block is over: %+v", r)
	}
}
