package lives_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Callers who never stop asking spend the budget of the service, and what was
// in flight when it was reached, but no more, however many processes admit. With
// -v the test tells how much that is.
func TestServiceBudgetIsExceededByWhatIsInFlight(t *testing.T) {
	t.Parallel()
	for _, callers := range []int{1, 16, 200} {
		t.Run(fmt.Sprintf("%d callers", callers), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { exhaust(t, callers) })
		})
	}
}

// exhaust has callers ask, each for one answer of 4 s after the other, until the
// budget of one answer for each of them is spent.
func exhaust(t *testing.T, callers int) {
	t.Helper()
	calendar, err := life.NewCalendar("UTC")
	if err != nil {
		t.Fatal(err)
	}
	const answer = 40 * 5_000 // nano-dollars of output; input is for nothing
	w := newWorld(t, 1, "nothing", settings{
		calendar: calendar, batch: 10, processorTimeout: 5 * time.Minute, tiers: environment.Tiers{Default: environment.Limits{MonthlyBudget: protocol.Dollar}},
		price: &life.Price{Output: 5_000_000_000}, serviceBudget: protocol.USD(callers) * answer,
	})
	w.dice.rates.skew = false
	w.begin()
	var mu sync.Mutex
	refusals := map[string]int{}
	for n := range callers {
		user := fmt.Sprintf("caller%d", n)
		w.devices[user] = []*device{newDevice(w, user, uint64(n+1))}
		w.clients.Go(func() {
			time.Sleep(time.Duration(n) * 10 * time.Millisecond)
			body := encode(map[string]any{"prompt": "on and on", "system": "script: tokens=40 rate=10", "maxTokens": 40})
			for {
				a := w.gateway.rest(user, http.MethodPost, "", body, "")
				var submitted protocol.SubmitResponse
				if a.status != http.StatusAccepted || !a.into(&submitted) {
					var problem protocol.Problem
					a.into(&problem)
					mu.Lock()
					defer mu.Unlock()
					refusals[fmt.Sprintf("%d %s", a.status, problem.Code)]++
					return
				}
				time.Sleep(4 * time.Second)
				w.untilEnded(user, submitted.RequestID)
			}
		})
	}
	w.rest()
	if want := map[string]int{"503 service_budget_exceeded": callers}; len(refusals) != 1 || refusals["503 service_budget_exceeded"] != callers {
		t.Errorf("refusals %v, want %v", refusals, want)
	}
	w.tellOvershoot(answer)
}

// untilEnded waits for the end of a request as GET tells it.
func (w *world) untilEnded(user, id string) {
	for {
		var state protocol.RequestState
		if w.gateway.rest(user, http.MethodGet, id, "", "").into(&state) && state.Status.Terminal() {
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// tellOvershoot compares what was spent beyond the budget with what was in flight
// when it was reached. Nothing is admitted after that.
func (w *world) tellOvershoot(answer protocol.USD) {
	for period, at := range w.ledger.reached {
		spent, err := w.ledger.store.Spending(w.t.Context(), period)
		if err != nil {
			w.t.Fatal(err)
		}
		var open, later int
		for _, h := range w.ledger.users {
			for _, r := range h.records {
				switch {
				case r.CreatedAt.After(at):
					later++
				case !r.UpdatedAt.Before(at.Add(-time.Millisecond)):
					open++
				}
			}
		}
		over := spent - w.settings.serviceBudget
		w.t.Logf("%s: $%s over a budget of $%s: %d requests of $%s; %d were open when it was reached, %d were admitted after",
			period, over, w.settings.serviceBudget, over/answer, answer, open, later)
		if over > protocol.USD(open)*answer || later > 0 {
			w.t.Errorf("spent $%s beyond the budget, with %d open when it was reached and %d admitted after", over, open, later)
		}
	}
	if len(w.ledger.reached) != 1 {
		w.t.Errorf("the budget was reached in %d months", len(w.ledger.reached))
	}
}
