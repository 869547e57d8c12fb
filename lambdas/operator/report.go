package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/directory"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Fraction is the share of the nearest limit that a user has used or reserved, 0
// to 1 and more; 0 if all are unlimited.
func (s Status) Fraction() float64 {
	nearest := max(
		share(s.Usage.Requests.Used, s.Usage.Requests.Limit),
		share(s.Usage.Tokens.Used+s.Usage.Tokens.Reserved, s.Usage.Tokens.Limit),
	)
	if b := s.Usage.Budget; b != nil {
		nearest = max(nearest, share(b.Used+b.Reserved, b.Limit))
	}
	return nearest
}

func share[N ~int64](used N, limit *N) float64 {
	if limit == nil || *limit == 0 {
		return 0
	}
	return float64(used) / float64(*limit)
}

// List returns the users that have used at least a fraction of a limit this
// month, the nearest first. It reads every account, and the groups of each.
func (o *Operator) List(ctx context.Context, fraction float64) ([]Status, error) {
	near := []Status{}
	err := o.eachStatus(ctx, func(s Status) {
		if s.Fraction() >= fraction {
			near = append(near, s)
		}
	})
	slices.SortFunc(near, func(a, b Status) int {
		return cmp.Or(cmp.Compare(b.Fraction(), a.Fraction()), cmp.Compare(a.UserID, b.UserID))
	})
	return near, err
}

func (o *Operator) eachStatus(ctx context.Context, visit func(Status)) error {
	return o.store.Accounts(ctx, func(account life.Account) error {
		user, err := o.directory.Find(ctx, account.UserID)
		if errors.Is(err, ErrNoUser) {
			user, err = directory.User{ID: account.UserID}, nil // deleted from the pool, still on the books
		}
		if err != nil {
			return err
		}
		visit(o.status(user, account))
		return nil
	})
}

// Entry is what one user spent in one period.
type Entry struct {
	UserID       string       `json:"userId"`
	Period       string       `json:"period"`
	Requests     int64        `json:"requests"`
	Tokens       int64        `json:"tokens"`
	Reserved     int64        `json:"reserved"`
	Cost         protocol.USD `json:"cost"`
	ReservedCost protocol.USD `json:"reservedCost"`
}

// Export returns what every user spent in a period, such as 2026-11, or, if it
// is empty, in every period that the accounts remember.
func (o *Operator) Export(ctx context.Context, period string) ([]Entry, error) {
	if err := checkPeriod(period); period != "" && err != nil {
		return nil, err
	}
	entries := []Entry{}
	err := o.store.Accounts(ctx, func(account life.Account) error {
		for p, m := range account.Months {
			if period == "" || p == period {
				entries = append(entries, Entry{
					UserID: account.UserID, Period: p, Requests: m.Used,
					Tokens: m.Tokens, Reserved: m.Reserved(), Cost: m.Cost, ReservedCost: m.ReservedCost(),
				})
			}
		}
		return nil
	})
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Period, b.Period), cmp.Compare(a.UserID, b.UserID))
	})
	return entries, err
}

// Record is a request as an export of one user shows it: what it cost, never
// what was said.
type Record struct {
	RequestID string          `json:"requestId"`
	Period    string          `json:"period"`
	Status    protocol.Status `json:"status"`
	Model     string          `json:"model"`
	Attempts  int             `json:"attempts"`
	Tokens    int64           `json:"tokens"`
	Cost      protocol.USD    `json:"cost"`
	Error     protocol.Code   `json:"error,omitempty"`
	CreatedAt string          `json:"createdAt"`
}

// Records returns the requests of a user, the oldest first.
func (o *Operator) Records(ctx context.Context, name string) ([]Record, error) {
	user, err := o.directory.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	stored, err := o.store.RecordsOf(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(stored, func(a, b life.Record) int { return a.CreatedAt.Compare(b.CreatedAt) })
	records := make([]Record, len(stored))
	for i, r := range stored {
		records[i] = Record{
			RequestID: r.RequestID, Period: r.Period, Status: r.Status, Model: r.Model.ModelID, Attempts: r.Attempt,
			Error: r.ErrorCode, CreatedAt: format(r.CreatedAt),
		}
		if r.Status.Terminal() {
			settled := life.Settle(r)
			records[i].Tokens, records[i].Cost = settled.Charge, settled.Cost
		}
	}
	return records, nil
}

// Drift is a counter that the records of a user do not explain.
type Drift struct {
	UserID   string `json:"userId"`
	Period   string `json:"period"`
	Counter  string `json:"counter"` // of cost, heldCost and spent the values are nano-dollars
	Stored   int64  `json:"stored"`
	Computed int64  `json:"computed"`
}

// Audit recomputes the counters of a period, the current one if it is empty,
// from the records of every user, and what they spent of the service's budget. A request that moves while it is read may
// show as a drift: audit again before acting on one.
func (o *Operator) Audit(ctx context.Context, period string) (drifts []Drift, users int, err error) {
	if period == "" {
		period = o.calendar.Period(o.now())
	}
	if err := o.auditable(period); err != nil {
		return nil, 0, err
	}
	drifts = []Drift{}
	var spent protocol.USD
	err = o.store.Accounts(ctx, func(account life.Account) error {
		users++
		records, err := o.store.RecordsOf(ctx, account.UserID)
		if err != nil {
			return err
		}
		for _, d := range life.Audit(account, records, period) {
			drifts = append(drifts, Drift{UserID: account.UserID, Period: period, Counter: d.Counter, Stored: d.Stored, Computed: d.Computed})
		}
		spent += life.SpentForService(account, records, period)
		return nil
	})
	if err != nil {
		return nil, users, err
	}
	stored, err := o.store.Spending(ctx, period)
	if stored != spent {
		drifts = append(drifts, Drift{UserID: wholeService, Period: period, Counter: "spent", Stored: int64(stored), Computed: int64(spent)})
	}
	return drifts, users, err
}

// wholeService stands for a user where something is counted for all of them.
const wholeService = "(service)"

// auditable refuses periods whose records may be gone.
func (o *Operator) auditable(period string) error {
	if err := checkPeriod(period); err != nil {
		return err
	}
	if oldest := o.calendar.Period(o.now().AddDate(0, 0, -45)); period < oldest {
		return fmt.Errorf("records of %s may be gone: they are kept for 45 days past their month", period)
	}
	return nil
}

func checkPeriod(period string) error {
	if _, err := time.Parse("2006-01", period); err != nil {
		return fmt.Errorf("a period is a month such as 2026-11, got %q", period)
	}
	return nil
}
