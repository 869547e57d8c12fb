package components

import (
	"cmp"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/protocol"
)

// tiers is the limits of every tier as JSON. What a tier leaves open is that
// of users without one.
func (b *build) tiers() pulumi.StringInput {
	quota := b.args.Quota
	groups := slices.Sorted(maps.Keys(quota.Tiers))
	settings := []pulumi.Input{quota.MonthlyRequests, quota.MonthlyTokens, quota.MonthlyBudget}
	for _, group := range groups {
		tier := quota.Tiers[group]
		settings = append(settings, tier.MonthlyRequests, tier.MonthlyTokens, tier.MonthlyBudget, tier.Precedence)
	}
	return encoded(settings, func(values []any) any {
		tiers := environment.Tiers{Default: limitsOf(values, environment.Limits{}), Groups: map[string]environment.Limits{}}
		precedence := map[string]int{}
		for n, group := range groups {
			own := values[3+4*n:]
			tiers.Groups[group] = limitsOf(own, tiers.Default)
			if p, ok := own[3].(int); ok {
				precedence[group] = p
				tiers.Order = append(tiers.Order, group)
			}
		}
		slices.SortStableFunc(tiers.Order, func(a, b string) int { return cmp.Compare(precedence[a], precedence[b]) })
		return tiers
	})
}

// limitsOf reads requests, tokens and budget, of which nil is that of fallback.
func limitsOf(values []any, fallback environment.Limits) environment.Limits {
	limits := fallback
	if n, ok := values[0].(int); ok {
		limits.MonthlyRequests = int64(n)
	}
	if n, ok := values[1].(int); ok {
		limits.MonthlyTokens = int64(n)
	}
	if amount := amountOf(values[2]); amount != nil {
		limits.MonthlyBudget = *amount
	}
	return limits
}

// prices is what models cost as JSON; "" if none has a price.
func (b *build) prices() pulumi.StringInput {
	models := slices.Sorted(maps.Keys(b.args.Model.Prices))
	if len(models) == 0 {
		return pulumi.String("")
	}
	var settings []pulumi.Input
	for _, model := range models {
		price := b.args.Model.Prices[model]
		settings = append(settings, price.Input, price.Output, price.CacheRead, price.CacheWrite)
	}
	return encoded(settings, func(values []any) any {
		prices := environment.Prices{}
		for n, model := range models {
			own := values[4*n:]
			price := environment.Price{CacheRead: amountOf(own[2]), CacheWrite: amountOf(own[3])}
			if amount := amountOf(own[0]); amount != nil {
				price.Input = *amount
			}
			if amount := amountOf(own[1]); amount != nil {
				price.Output = *amount
			}
			prices[model] = price
		}
		return prices
	})
}

// amountOf is the amount that a setting holds; nil if it is not set. Its checks
// leave no number that is none.
func amountOf(v any) *protocol.USD {
	dollars, ok := v.(float64)
	if !ok {
		return nil
	}
	amount, err := protocol.USDOf(dollars)
	if err != nil {
		return nil
	}
	return &amount
}

// encoded is the JSON of what is made of the values of settings, nil for those
// that are not set. Of plain settings it is plain.
func encoded(settings []pulumi.Input, of func(values []any) any) pulumi.StringInput {
	inputs, values, allKnown := make([]any, len(settings)), make([]any, len(settings)), true
	for i, setting := range settings {
		v, known := plain(setting)
		allKnown, values[i], inputs[i] = allKnown && known, v, v
		if !known {
			inputs[i] = asOutput(setting)
		}
	}
	if allKnown {
		return pulumi.String(protocol.Encode(of(values)))
	}
	return pulumi.All(inputs...).ApplyT(func(resolved []any) string {
		for i := range resolved {
			resolved[i] = orDefault(resolved[i], nil)
		}
		return string(protocol.Encode(of(resolved)))
	}).(pulumi.StringOutput)
}
