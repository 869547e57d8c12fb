package life

import (
	"maps"
	"slices"
	"time"
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

	TierOverride     string // tier instead of those of the user's groups; "": none
	OverrideRequests *int64 // monthly requests instead of the tier's; 0 unlimited, nil: none
	OverrideTokens   *int64 // monthly tokens instead of the tier's; 0 unlimited, nil: none
	GrantRequests    int64  // added to the monthly requests until GrantUntil
	GrantTokens      int64  // added to the monthly tokens until GrantUntil
	GrantUntil       time.Time
	BlockedUntil     time.Time

	// Groups are those of the last token with which the user was admitted or
	// made a key. They are the groups of a caller with a key.
	Groups []string
}

// Month is what a user has spent in one period.
type Month struct {
	Used       int64 // requests
	Tokens     int64 // settled
	Held       int64 // settled and reserved
	Unanswered int64 // requests refunded although the model came to an end
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
	if a.Months[oldest].Reserved() != 0 {
		return ""
	}
	return oldest
}

// RefundsSpent reports whether no further unanswered request of the month is
// refunded.
func (m Month) RefundsSpent() bool { return m.Unanswered >= UnansweredRefunds }

// Reserved is what open requests may still spend.
func (m Month) Reserved() int64 { return m.Held - m.Tokens }

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
