package life

import "slices"

// Drift is a counter of an account that its request records do not explain.
type Drift struct {
	Counter  string // used, tokens, held, unanswered or inFlight
	Stored   int64
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
		computed.add(r, open)
	}
	stored := account.Months[period]
	var drifts []Drift
	for _, d := range []Drift{
		{"used", stored.Used, computed.Used},
		{"tokens", stored.Tokens, computed.Tokens},
		{"held", stored.Held, computed.Held},
		{"unanswered", stored.Unanswered, computed.Unanswered},
		{"inFlight", account.InFlight, unsettled},
	} {
		if d.Stored != d.Computed {
			drifts = append(drifts, d)
		}
	}
	return drifts
}

// add counts a record: an open one by its estimate, any other as settled.
func (m *Month) add(r Record, open bool) {
	m.Used++
	if open {
		m.Held += r.Estimate
		return
	}
	s := Settle(r)
	m.Used -= s.Refund
	m.Unanswered += s.Unanswered
	m.Tokens += s.Charge
	m.Held += s.Charge
}
