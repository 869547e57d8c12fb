package lives_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// This file holds the invariants of docs/life.md that are judged at every
// committed write or posted frame. Those at rest are in rest_test.go.

// endNeverChanges is invariant 1: a terminal (status, endSeq, stopReason,
// errCode, usage) never changes.
func (w *world) endNeverChanges(before, now life.Record) {
	a, b := endOf(before), endOf(now)
	if a != b {
		w.violate(1, "the end of %s changed from %+v to %+v", now.RequestID, a, b)
	}
}

// ending is the part of a record that is final.
type ending struct {
	status  protocol.Status
	attempt int
	endSeq  int
	stop    string
	code    protocol.Code
	usage   protocol.TokenUsage
	owner   string
}

func endOf(r life.Record) ending {
	e := ending{status: r.Status, attempt: r.Attempt, endSeq: r.EndSeq, stop: r.StopReason, code: r.ErrorCode, owner: r.Owner}
	if r.Usage != nil {
		e.usage = *r.Usage
	}
	return e
}

// endNeverVanishes is invariant 2: a request that was answered 202 keeps its
// record. Only one that nobody was told of is taken back.
func (w *world) endNeverVanishes(r life.Record) {
	if w.wasAccepted(r.RequestID) || r.Status != protocol.StatusQueued || r.Attempt > 0 || r.Kept {
		w.violate(2, "the record %+v vanished", r)
	}
	w.note("taken back %s", r.RequestID)
}

// check202Stays is invariant 2: GET finds every request that was answered 202.
func (w *world) check202Stays(id string, a answer) {
	if a.status == 404 && w.wasAccepted(id) {
		w.violate(2, "GET of %s, which was answered 202: 404", id)
	}
}

// ledgerAlways is invariant 3: inFlight = |open|-1 = unsettled records; per
// month held - tokens = sum of their estimates, heldCost - cost = sum of what is
// reserved for them, used = admitted - refunded; nothing negative. Whoever has an open request is where the sweep finds it.
func (w *world) ledgerAlways(h *history) {
	a := h.account
	want := map[string]life.Month{}
	unsettled := int64(0)
	for id, r := range h.records {
		open := slices.Contains(a.Open, id)
		if open {
			unsettled++
		}
		want[r.Period] = want[r.Period].With(r, open)
	}
	if a.InFlight != unsettled || a.InFlight != int64(len(a.Open)) {
		w.violate(3, "user %s: in flight %d, open %v, unsettled records %d", a.UserID, a.InFlight, a.Open, unsettled)
	}
	if len(a.Open) > 0 && a.OpenSince.IsZero() {
		w.violate(3, "user %s: open %v, but not in the index of the sweep", a.UserID, a.Open)
	}
	for period, m := range a.Months {
		if m != want[period] || m.Used < 0 || m.Tokens < 0 || m.Held < m.Tokens || m.Cost < 0 || m.HeldCost < m.Cost {
			w.violate(3, "user %s %s: account %+v, records %+v", a.UserID, period, m, want[period])
		}
	}
}

// settledOnce is invariant 4: each record is settled exactly once, after its
// end, in the period of its admission (which ledgerAlways compares).
func (w *world) settledOnce(h *history, id string, r life.Record) {
	if r.RequestID == "" {
		return // taken back
	}
	if h.settled[id] || !r.Status.Terminal() {
		w.violate(4, "settled again, or before its end: %+v", r)
	}
	h.settled[id] = true
	h.excess[r.Period] += life.Settle(r).Excess
	h.overcost[r.Period] += life.Settle(r).CostExcess
}

// capsAtAdmission is invariant 5: used <= limit, inFlight <= cap, held <= limit
// as read for it; admissions in any window <= burst + rate*(window + skew).
func (w *world) capsAtAdmission(h *history, a life.Account, r life.Record) {
	s := w.settings
	m := a.Months[r.Period]
	limits := s.tiers.Default
	if limits.MonthlyRequests > 0 && m.Used > limits.MonthlyRequests ||
		limits.MonthlyTokens > 0 && m.Held > limits.MonthlyTokens ||
		limits.MonthlyBudget > 0 && m.HeldCost > limits.MonthlyBudget ||
		s.cap > 0 && a.InFlight > s.cap {
		w.violate(5, "admitted over a limit: %+v in flight %d, limits %+v cap %d", m, a.InFlight, limits, s.cap)
	}
	if want := s.calendar.Period(r.CreatedAt); r.Period != want {
		w.violate(5, "admitted at %v in period %s, want %s", r.CreatedAt, r.Period, want)
	}
	if at, reached := w.ledger.reached[r.Period]; reached && r.CreatedAt.Sub(at) > breakerAge+life.Skew {
		w.violate(5, "admitted at %v, although the service had spent its budget by %v", r.CreatedAt, at)
	}
	if s.rate == 0 {
		return
	}
	times := slices.SortedFunc(slices.Values(h.admitted), time.Time.Compare)
	for i, from := range times {
		for j := i; j < len(times); j++ {
			allowed := float64(s.burst) + s.rate*(times[j].Sub(from)+life.Skew).Seconds()
			if n := j - i + 1; float64(n) > allowed {
				w.violate(5, "user %s: %d admissions in %v", a.UserID, n, times[j].Sub(from))
				return
			}
		}
	}
}

// tokensWithinExcess is invariant 6: tokens <= limit + sum of what was reported
// beyond the estimates; cost <= limit + sum of what was charged beyond what was
// reserved.
func (w *world) tokensWithinExcess(h *history) {
	limits := w.settings.tiers.Default
	for period, m := range h.account.Months {
		if limit := limits.MonthlyTokens; limit > 0 && m.Tokens > limit+h.excess[period] {
			w.violate(6, "user %s %s: %d tokens, limit %d, excess %d", h.account.UserID, period, m.Tokens, limit, h.excess[period])
		}
		if limit := limits.MonthlyBudget; limit > 0 && m.Cost > limit+h.overcost[period] {
			w.violate(6, "user %s %s: cost %s, budget %s, excess %s", h.account.UserID, period, m.Cost, limit, h.overcost[period])
		}
	}
}

// breakerAge is how old the spending may be that an admission has read.
const breakerAge = 5 * time.Second

// serviceLedger is invariant 3 for the whole service: what it has spent = the
// costs of the settled records that count for it. It notes when its budget was
// reached.
func (w *world) serviceLedger(ctx context.Context, l *ledger) {
	if w.settings.serviceBudget == 0 {
		return
	}
	want := map[string]protocol.USD{}
	for _, h := range l.users {
		for id, r := range h.records {
			if !slices.Contains(h.account.Open, id) {
				want[r.Period] += life.Settle(r).Cost
			}
		}
	}
	for period, spent := range want {
		if stored, err := l.store.Spending(ctx, period); err != nil || stored != spent {
			w.violate(3, "the service has spent %s in %s (%v), its records %s", stored, period, err, spent)
		}
		if _, known := l.reached[period]; !known && spent >= w.settings.serviceBudget {
			l.reached[period] = time.Now()
		}
	}
}

// equalFramesAreByteEqual is invariant 8: start has seq 0, deltas 1 to n; equal
// (requestId, attempt, seq) are byte-equal.
func (w *world) equalFramesAreByteEqual(before, frame string, f protocol.Frame) {
	if before != "" && before != frame {
		w.violate(8, "two frames of one place: %s and %s", before, frame)
	}
	if (f.Type == protocol.FrameStart) != (*f.Seq == 0) && f.Type != protocol.FrameError {
		w.violate(8, "a frame out of place: %s", frame)
	}
}

// oneEndFrame is invariant 9: all end frames of a request are byte-equal.
func (w *world) oneEndFrame(before, frame string) {
	if before != "" && before != frame {
		w.violate(9, "two ends: %s and %s", before, frame)
	}
}

// nextAttemptSoon is invariant 10: killed attempt -> next <= 50 s. A further
// fault in between may cost more.
func (w *world) nextAttemptSoon(r life.Record, gap time.Duration) {
	if (w.profile == "kills" || w.profile == "one fault") && gap > 50*time.Second {
		w.violate(10, "%s: attempt %d came %v after its predecessor was killed", r.RequestID, r.Attempt, gap)
	}
}

// nobodyEndsAHealthyAttempt is invariant 10: nobody ends a healthy attempt while
// its lease lives, by any clock of the service.
func (w *world) nobodyEndsAHealthyAttempt(before, now life.Record) {
	slowest := time.Now().Add(-life.Skew / 2)
	if before.Status == protocol.StatusStreaming && before.LeaseUntil.After(slowest) {
		w.violate(10, "attempt %d of %s was superseded while its lease lived until %v", before.Attempt, now.RequestID, before.LeaseUntil)
	}
}

// isPrefixOfOne reports whether text begins one of texts; exact: is one.
func isPrefixOfOne(text string, texts []string, exact bool) bool {
	return slices.ContainsFunc(texts, func(said string) bool {
		return said == text || !exact && strings.HasPrefix(said, text)
	})
}
