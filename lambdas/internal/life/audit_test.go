package life_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	record := func(id, period string, status protocol.Status, estimate, in, out int64) life.Record {
		r := life.Record{Key: life.Key{UserID: "u", RequestID: id}, Period: period, Status: status, Estimate: estimate}
		if in+out > 0 {
			r.Usage = &protocol.TokenUsage{InputTokens: in, OutputTokens: out}
			r.FirstClaimAt = time.Unix(1, 0)
		}
		return r
	}
	silent := record("silent", "2026-11", protocol.StatusFailed, 100, 0, 0)
	silent.ErrorCode, silent.StopReason = protocol.CodeModelError, "end_turn"
	records := []life.Record{
		record("done", "2026-11", protocol.StatusSucceeded, 100, 10, 20),
		record("failed", "2026-11", protocol.StatusFailed, 100, 0, 0),
		silent,
		record("open", "2026-11", protocol.StatusStreaming, 100, 0, 0),
		record("unsettled", "2026-11", protocol.StatusSucceeded, 40, 1, 2),
		record("before", "2026-10", protocol.StatusSucceeded, 100, 50, 50),
		record("openbefore", "2026-10", protocol.StatusQueued, 70, 0, 0),
	}
	exact := life.Account{
		UserID: "u", InFlight: 3, Open: []string{"open", "openbefore", "unsettled"},
		Months: map[string]life.Month{
			"2026-10": {Used: 2, Tokens: 100, Held: 170},
			"2026-11": {Used: 3, Tokens: 30, Held: 170, Unanswered: 1},
		},
	}
	for _, period := range []string{"2026-10", "2026-11", "2026-12"} {
		if drifts := life.Audit(exact, records, period); len(drifts) > 0 {
			t.Errorf("%s: exact account drifts: %+v", period, drifts)
		}
	}

	drifted := exact
	drifted.InFlight = 4
	drifted.Months = map[string]life.Month{"2026-11": {Used: 2, Tokens: 31, Held: 169}}
	want := []life.Drift{{"used", 2, 3}, {"tokens", 31, 30}, {"held", 169, 170}, {"unanswered", 0, 1}, {"inFlight", 4, 3}}
	if drifts := life.Audit(drifted, records, "2026-11"); !slices.Equal(drifts, want) {
		t.Errorf("got %+v, want %+v", drifts, want)
	}
}
