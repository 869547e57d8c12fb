package life

import (
	"slices"

	"github.com/streaming-service/streaming-service/protocol"
)

// Drift is a counter of an account that its request records do not explain.
type Drift struct {
	Counter  string // used, tokens, held, cost, heldCost, unanswered or inFlight
	Stored   int64  // nano-dollars of cost and heldCost
	Computed int64
}

// Audit recomputes what an account has spent in a period from its records, all
// of that user and of any period, and returns the counters that differ. Records
// are kept for MetaRetention; an older period cannot be audited.
func Audit(account Account, records []Record, period string) []Drift {
	var computed Month
	unsettled := int64(0)
	for _, r := range records {
		open := slices.Contains(account.Open, r.RequestID)
		if open {
			unsettled++
		}
		if r.Period != period {
			continue
		}
		computed = computed.With(r, open)
	}
	stored := account.Months[period]
	var drifts []Drift
	for _, d := range []Drift{
		{"used", stored.Used, computed.Used},
		{"tokens", stored.Tokens, computed.Tokens},
		{"held", stored.Held, computed.Held},
		{"cost", int64(stored.Cost), int64(computed.Cost)},
		{"heldCost", int64(stored.HeldCost), int64(computed.HeldCost)},
		{"unanswered", stored.Unanswered, computed.Unanswered},
		{"inFlight", account.InFlight, unsettled},
	} {
		if d.Stored != d.Computed {
			drifts = append(drifts, d)
		}
	}
	return drifts
}

// With counts a record: an open one by what it reserves, any other as settled.
func (m Month) With(r Record, open bool) Month {
	m.Used++
	if open {
		m.Held += r.Estimate
		m.HeldCost += r.CostEstimate
		return m
	}
	s := Settle(r)
	m.Used -= s.Refund
	m.Unanswered += s.Unanswered
	m.Tokens += s.Charge
	m.Held += s.Charge
	m.Cost += s.Cost
	m.HeldCost += s.Cost
	return m
}

// SpentForService is what the settled requests of a user and period cost that
// count against the budget of the whole service.
func SpentForService(account Account, records []Record, period string) protocol.USD {
	var spent protocol.USD
	for _, r := range records {
		if r.ForService && r.Period == period && !slices.Contains(account.Open, r.RequestID) {
			spent += Settle(r).Cost
		}
	}
	return spent
}
