package life

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/protocol"
)

// DefaultTier is the tier of users without a group that is one.
const DefaultTier = "default"

// Allowance is what a user may spend in a month, and under which name.
type Allowance struct {
	Tier string
	environment.Limits
}

// AllowanceFor returns the monthly limits of a user at now. Of the user's groups
// that are tiers, each limit is the best, and the one of lowest precedence gives
// the name; those without a precedence come last, by name. An override in the
// account replaces that, and a grant adds to it while it lasts.
func AllowanceFor(tiers environment.Tiers, groups []string, account Account, now time.Time) Allowance {
	a := tierOf(tiers, groups, account.TierOverride)
	if account.OverrideRequests != nil {
		a.MonthlyRequests = *account.OverrideRequests
	}
	if account.OverrideTokens != nil {
		a.MonthlyTokens = *account.OverrideTokens
	}
	if account.OverrideBudget != nil {
		a.MonthlyBudget = *account.OverrideBudget
	}
	if now.Before(account.Grant.Until) {
		a.MonthlyRequests = granted(a.MonthlyRequests, account.Grant.Requests)
		a.MonthlyTokens = granted(a.MonthlyTokens, account.Grant.Tokens)
		a.MonthlyBudget = granted(a.MonthlyBudget, account.Grant.Budget)
	}
	return a
}

func tierOf(tiers environment.Tiers, groups []string, override string) Allowance {
	if override == DefaultTier {
		return Allowance{DefaultTier, tiers.Default}
	}
	if limits, ok := tiers.Groups[override]; ok {
		return Allowance{override, limits}
	}
	groups = slices.DeleteFunc(slices.Clone(groups), func(g string) bool { _, ok := tiers.Groups[g]; return !ok })
	slices.SortFunc(groups, func(a, b string) int { return cmp.Or(rank(tiers, a)-rank(tiers, b), strings.Compare(a, b)) })
	if len(groups) == 0 {
		return Allowance{DefaultTier, tiers.Default}
	}
	best := Allowance{groups[0], tiers.Groups[groups[0]]}
	for _, g := range groups[1:] {
		limits := tiers.Groups[g]
		best.MonthlyRequests = better(best.MonthlyRequests, limits.MonthlyRequests)
		best.MonthlyTokens = better(best.MonthlyTokens, limits.MonthlyTokens)
		best.MonthlyBudget = better(best.MonthlyBudget, limits.MonthlyBudget)
	}
	return best
}

// rank is the place of a group in the order of precedence.
func rank(tiers environment.Tiers, group string) int {
	if i := slices.Index(tiers.Order, group); i >= 0 {
		return i
	}
	return len(tiers.Order)
}

// better returns the larger of two limits of which 0 is unlimited.
func better[N number](a, b N) N {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

func granted[N number](limit, grant N) N {
	if limit == 0 {
		return 0
	}
	return limit + min(max(0, grant), math.MaxInt64-limit)
}

// number is a count or an amount of money.
type number interface{ ~int64 }

// UsageOf returns the body of GET /usage; that of a service without prices has
// no budget.
func UsageOf(account Account, allowance Allowance, period string, resetsAt time.Time, priced bool) protocol.Usage {
	m := account.Months[period]
	usage := protocol.Usage{
		Period:   period,
		ResetsAt: resetsAt.UTC().Format(time.RFC3339),
		Tier:     allowance.Tier,
		Requests: protocol.RequestsUsage{
			Limit:     limit(allowance.MonthlyRequests),
			Used:      m.Used,
			Remaining: remaining(allowance.MonthlyRequests, m.Used),
		},
		Tokens: protocol.TokensUsage{
			Limit:     limit(allowance.MonthlyTokens),
			Used:      m.Tokens,
			Reserved:  m.Reserved(),
			Remaining: remaining(allowance.MonthlyTokens, m.Held),
		},
		InFlight: account.InFlight,
	}
	if priced {
		usage.Budget = &protocol.BudgetUsage{
			Currency:  protocol.Currency,
			Limit:     limit(allowance.MonthlyBudget),
			Used:      m.Cost,
			Reserved:  m.ReservedCost(),
			Remaining: remaining(allowance.MonthlyBudget, m.HeldCost),
		}
	}
	return usage
}

func limit[N number](n N) *N {
	if n == 0 {
		return nil
	}
	return &n
}

func remaining[N number](limit, used N) *N {
	if limit == 0 {
		return nil
	}
	left := max(0, limit-used)
	return &left
}
