package life

import (
	"maps"
	"slices"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// OpenAnchor is the member of an account's open set that is no request. It
// keeps the set from vanishing with its last request.
const OpenAnchor = "-"

// Account is the quota item of a user.
type Account struct {
	UserID   string
	TAT      time.Time // theoretical arrival time of the rate limit; zero: never called
	InFlight int64
	Open     []string // ids of unsettled requests, without the anchor
	// OpenSince is since when there have been any; zero: the sweep does not see the account.
	OpenSince time.Time
	Months    map[string]Month // by period
	Unclosed  []string         // periods in which there may be reservations, the oldest first

	TierOverride     string        // tier instead of those of the user's groups; "": none
	OverrideRequests *int64        // monthly requests instead of the tier's; 0 unlimited, nil: none
	OverrideTokens   *int64        // monthly tokens instead of the tier's; 0 unlimited, nil: none
	OverrideBudget   *protocol.USD // monthly budget instead of the tier's; 0 unlimited, nil: none
	Grant            Grant         // the last one, also when it is over
	BlockedUntil     time.Time

	// Groups are those of the last token with which the user was admitted or
	// made a key. They are the groups of a caller with a key.
	Groups []string
}

// Grant adds to the monthly limits of a user until a time.
type Grant struct {
	Requests int64
	Tokens   int64
	Budget   protocol.USD
	Until    time.Time
}

// Month is what a user has spent in one period.
type Month struct {
	Used       int64        // requests
	Tokens     int64        // settled
	Held       int64        // settled and reserved
	Cost       protocol.USD // settled
	HeldCost   protocol.USD // settled and reserved
	Unanswered int64        // requests refunded although the model came to an end
}

// monthsKept is how many months an account remembers: a year and the current
// one. More would make its item, and with it every write of it, grow for ever.
const monthsKept = 13

// Forgettable returns the oldest month of an account that has more than it
// keeps, or "". One that still holds reservations stays.
func (a Account) Forgettable() string {
	if len(a.Months) <= monthsKept {
		return ""
	}
	oldest := slices.Min(slices.Collect(maps.Keys(a.Months)))
	if m := a.Months[oldest]; m.Reserved() != 0 || m.ReservedCost() != 0 {
		return ""
	}
	return oldest
}

// Closable returns the oldest month whose reservations need not be written down
// any more, because nothing is reserved in it and it has passed by two others, or
// "". What is written of it twice would make the account outgrow the kilobyte
// that a write unit is for.
func (a Account) Closable() string {
	if len(a.Unclosed) <= 2 {
		return ""
	}
	oldest := a.Unclosed[0]
	if m := a.Months[oldest]; m.Reserved() != 0 || m.ReservedCost() != 0 {
		return ""
	}
	return oldest
}

// RefundsSpent reports whether no further unanswered request of the month is
// refunded.
func (m Month) RefundsSpent() bool { return m.Unanswered >= UnansweredRefunds }

// Reserved is the tokens that open requests may still spend.
func (m Month) Reserved() int64 { return m.Held - m.Tokens }

// ReservedCost is what open requests may still cost.
func (m Month) ReservedCost() protocol.USD { return m.HeldCost - m.Cost }

// Blocked reports whether the user may not submit at now.
func (a Account) Blocked(now time.Time) bool { return now.Before(a.BlockedUntil) }

// Admitted returns the account as it stands after the admission of record, for
// answers "as of admission".
func (a Account) Admitted(record Record) Account {
	months := make(map[string]Month, len(a.Months)+1)
	maps.Copy(months, a.Months)
	m := months[record.Period]
	m.Used++
	m.Held += record.Estimate
	m.HeldCost += record.CostEstimate
	months[record.Period] = m
	a.Months = months
	a.InFlight++
	a.Open = append(slices.Clone(a.Open), record.RequestID)
	return a
}

// OpenMark is an account with open requests, as the sweep finds it: since when
// it has had any.
type OpenMark struct {
	UserID string
	Since  time.Time
}
