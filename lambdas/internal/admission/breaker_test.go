package admission_test

import (
	"context"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// spender is a store of which the service has spent an amount.
type spender struct {
	admission.Store
	spent protocol.USD
}

func (s *spender) Spending(context.Context, string) (protocol.USD, error) {
	return s.spent, nil
}

// TestBreaker: once it is spent, the budget of the service refuses new requests
// for the rest of the month, and no replay.
func TestBreaker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := &spender{Store: w.db}
	w.Store = store
	w.Tiers = environment.Tiers{}
	w.Cap = 0
	w.Prices = map[string]life.Price{"m": {Input: 1, Output: 1}}
	w.Breaker = admission.NewBreaker(100, w.now)
	admits := func(what string) answer {
		t.Helper()
		a := w.submit(t.Context(), what, hi)
		if a.Status != 202 {
			t.Fatalf("%s: %q", what, a.code())
		}
		return a
	}
	first := admits("first")
	store.spent = 99
	admits("all-but-spent")
	store.spent = 100
	a := w.submit(t.Context(), "", hi)
	if a.code() != protocol.CodeServiceBudgetExceeded || a.refusal.Status() != 503 || a.refusal.Header["Retry-After"] != "561600" {
		t.Errorf("spent: %q %d %v", a.code(), a.refusal.Status(), a.refusal.Header)
	}
	if replay := w.submit(t.Context(), "first", hi); replay.Status != 202 || replay.id() != first.id() {
		t.Errorf("replay: %q", replay.code())
	}
	record, err := w.db.Record(t.Context(), life.Key{UserID: "u", RequestID: first.id()})
	if err != nil || !record.ForService {
		t.Errorf("record %+v, %v: its cost does not count", record, err)
	}
	store.spent = 0
	w.pass(7 * 24 * time.Hour)
	admits("next-month")
}

// A model without a price would be free for a user with a budget.
func TestModelWithoutAPriceIsRefusedWhereThereIsABudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Tiers = environment.Tiers{Default: environment.Limits{MonthlyBudget: protocol.Dollar}}
	w.Prices = map[string]life.Price{"m": {Output: protocol.Dollar}}
	if a := w.submit(t.Context(), "", `{"prompt":"hi","model":"n"}`); a.code() != protocol.CodeModelNotAllowed {
		t.Errorf("unpriced: %d %q", a.Status, a.code())
	}
	a := w.submit(t.Context(), "", `{"prompt":"hi","model":"m"}`)
	const reserved = 100_000 // 100 tokens of output
	if body, ok := a.Body.(protocol.SubmitResponse); !ok || body.Quota.Budget == nil || body.Quota.Budget.Reserved != reserved ||
		*body.Quota.Budget.Limit != protocol.Dollar || *body.Quota.Budget.Remaining != protocol.Dollar-reserved {
		t.Errorf("priced: %d %+v", a.Status, a.Body)
	}
}
