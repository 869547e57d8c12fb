package iam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// comparisons are the condition operators that the local cloud evaluates; the
// negated ones hold when none of the values compares.
var comparisons = map[string]struct {
	compare func(pattern, value string) bool
	negated bool
}{
	"StringEquals":              {func(p, v string) bool { return p == v }, false},
	"StringNotEquals":           {func(p, v string) bool { return p == v }, true},
	"StringEqualsIgnoreCase":    {strings.EqualFold, false},
	"StringNotEqualsIgnoreCase": {strings.EqualFold, true},
	"StringLike":                {awsapi.Glob, false},
	"StringNotLike":             {awsapi.Glob, true},
	"ArnEquals":                 {awsapi.MatchARN, false},
	"ArnLike":                   {awsapi.MatchARN, false},
	"ArnNotEquals":              {awsapi.MatchARN, true},
	"ArnNotLike":                {awsapi.MatchARN, true},
	"Bool":                      {strings.EqualFold, false},
	"NumericEquals":             {numeric(func(p, v float64) bool { return v == p }), false},
	"NumericNotEquals":          {numeric(func(p, v float64) bool { return v == p }), true},
	"NumericLessThan":           {numeric(func(p, v float64) bool { return v < p }), false},
	"NumericLessThanEquals":     {numeric(func(p, v float64) bool { return v <= p }), false},
	"NumericGreaterThan":        {numeric(func(p, v float64) bool { return v > p }), false},
	"NumericGreaterThanEquals":  {numeric(func(p, v float64) bool { return v >= p }), false},
}

const (
	forAny   = "ForAnyValue:"
	forAll   = "ForAllValues:"
	ifExists = "IfExists"
)

func numeric(compare func(pattern, value float64) bool) func(string, string) bool {
	return func(pattern, value string) bool {
		p, errP := strconv.ParseFloat(pattern, 64)
		v, errV := strconv.ParseFloat(value, 64)
		return errP == nil && errV == nil && compare(p, v)
	}
}

func validateConditions(conditions map[string]map[string]scalars) error {
	for operator := range conditions {
		if _, known := comparisons[plainOperator(operator)]; !known && operator != "Null" {
			return fmt.Errorf("the local cloud does not know condition operator %s", operator)
		}
	}
	return nil
}

func plainOperator(operator string) string {
	operator = strings.TrimPrefix(strings.TrimPrefix(operator, forAny), forAll)
	return strings.TrimSuffix(operator, ifExists)
}

// conditionsHold tells whether all operators and keys hold in a context, whose
// multi-valued keys are joined by newlines. Key names have no case.
func conditionsHold(conditions map[string]map[string]scalars, context map[string]string) bool {
	for operator, keys := range conditions {
		for key, patterns := range keys {
			if !conditionHolds(operator, patterns, lookup(context, key)) {
				return false
			}
		}
	}
	return true
}

func lookup(context map[string]string, key string) []string {
	for name, value := range context {
		if strings.EqualFold(name, key) {
			return strings.Split(value, "\n")
		}
	}
	return nil
}

func conditionHolds(operator string, patterns scalars, values []string) bool {
	if operator == "Null" {
		return len(patterns) > 0 && strings.EqualFold(patterns[0], strconv.FormatBool(values == nil))
	}
	comparison := comparisons[plainOperator(operator)]
	if values == nil {
		return comparison.negated || strings.HasPrefix(operator, forAll) || strings.HasSuffix(operator, ifExists)
	}
	holds := func(value string) bool {
		return anyMatches(texts(patterns), value, comparison.compare) != comparison.negated
	}
	if strings.HasPrefix(operator, forAny) {
		return some(values, holds)
	}
	return !some(values, func(value string) bool { return !holds(value) })
}

func some(values []string, holds func(string) bool) bool {
	return slices.ContainsFunc(values, holds)
}
