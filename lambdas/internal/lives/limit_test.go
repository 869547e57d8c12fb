package lives_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

const (
	firstRequests = 200
	monthly       = 10
	apiProcesses  = 20
)

// 200 requests of a user whom nobody has seen, through 20 processes, with
// transactions that conflict: a limit of 10 admits 10 in a month, and 10 more in
// the next if its edge is crossed meanwhile.
//
// Under the slow race detector there are fewer edges: they differ only in time.
//
// It guards rule 8 of docs/life.md.
func TestTwoHundredFirstRequestsAgainstALimitOfTen(t *testing.T) {
	t.Parallel()
	edges := edges
	if testing.Short() {
		edges = edges[:2]
	}
	for _, edge := range edges {
		for _, spread := range []time.Duration{0, 3 * time.Second} {
			for quota, limits := range limitsOfTen {
				t.Run(fmt.Sprintf("%s %s over %v by %s", edge.zone, edge.at, spread, quota), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { firstRequestsAt(t, edge, spread, limits) })
				})
			}
		}
	}
}

// limitsOfTen admit ten requests of which each costs what was reserved for it: 5
// tokens of output, and input for nothing.
var limitsOfTen = map[string]environment.Limits{
	protocol.QuotaRequests: {MonthlyRequests: monthly},
	protocol.QuotaBudget:   {MonthlyBudget: monthly*5*1_000 + 4_999},
}

// firstRequestsAt submits around a month's edge. Without a spread all come
// before it.
func firstRequestsAt(t *testing.T, e edge, spread time.Duration, limits environment.Limits) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, e.at)
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := life.NewCalendar(e.zone)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(at) - time.Minute)
	w := newWorld(t, 1, "duplicates", settings{
		calendar: calendar, batch: 10, processorTimeout: 5 * time.Minute,
		tiers: environment.Tiers{Default: limits}, price: &life.Price{Output: 1_000_000_000},
	})
	w.dice.rates.skew = false
	w.devices["alice"] = []*device{newDevice(w, "alice", 1)}
	w.begin()
	if spread > 0 {
		time.Sleep(time.Until(at) - spread/2)
	}
	answers := map[int]int{}
	var mu sync.Mutex
	processes := make(chan struct{}, apiProcesses)
	for n := range firstRequests {
		pause := time.Duration(0)
		if spread > 0 {
			pause = rand.N(spread) //nolint:gosec // when a request comes is no secret
		}
		w.clients.Go(func() {
			time.Sleep(pause)
			processes <- struct{}{}
			defer func() { <-processes }()
			body := encode(map[string]any{"prompt": fmt.Sprint(n), "system": "script: tokens=5 rate=0", "maxTokens": 5})
			a := w.gateway.rest("alice", http.MethodPost, "", body, "")
			mu.Lock()
			defer mu.Unlock()
			answers[a.status]++
		})
	}
	w.rest()
	months := 1
	if spread > 0 {
		months = e.months
	}
	h := w.ledger.users["alice"]
	if n := answers[http.StatusAccepted]; n != months*monthly || answers[http.StatusTooManyRequests] != firstRequests-n || len(h.records) != n {
		t.Errorf("answers %v and %d records, want %d accepted", answers, len(h.records), months*monthly)
	}
	for period, m := range h.account.Months {
		if m.Used != monthly || m.Cost != monthly*5*1_000 {
			t.Errorf("%s: used %d, cost %s", period, m.Used, m.Cost)
		}
	}
	for _, r := range h.records {
		if r.Status != protocol.StatusSucceeded {
			t.Errorf("request %s %s", r.RequestID, r.Status)
		}
	}
	if started := len(w.functions["quota"].idle); started > apiProcesses {
		t.Errorf("%d processes", started)
	}
}
