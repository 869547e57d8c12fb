package life_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestSettle(t *testing.T) {
	t.Parallel()
	usage := &protocol.TokenUsage{InputTokens: 30, OutputTokens: 12}
	claimed := time.UnixMilli(1)
	tests := []struct {
		name   string
		record life.Record
		want   life.Settlement
	}{
		{"succeeded", life.Record{Status: protocol.StatusSucceeded, Usage: usage}, life.Settlement{Charge: 42, Delta: -58}},
		{"succeeded beyond the estimate", life.Record{Status: protocol.StatusSucceeded, Usage: &protocol.TokenUsage{InputTokens: 200}}, life.Settlement{Charge: 200, Delta: 100, Excess: 100}},
		{"succeeded without usage", life.Record{Status: protocol.StatusSucceeded}, life.Settlement{Charge: 40, Delta: -60}},
		{"content filtered", life.Record{Status: protocol.StatusFailed, ErrorCode: protocol.CodeContentFiltered, Usage: usage}, life.Settlement{Charge: 42, Delta: -58}},
		{"failed", life.Record{Status: protocol.StatusFailed, ErrorCode: protocol.CodeModelError, Usage: usage}, life.Settlement{Refund: 1, Delta: -100}},
		{"unanswered", life.Record{Status: protocol.StatusFailed, ErrorCode: protocol.CodeModelError, StopReason: "end_turn"}, life.Settlement{Refund: 1, Unanswered: 1, Delta: -100}},
		{"unanswered, once too often", life.Record{Status: protocol.StatusFailed, ErrorCode: protocol.CodeModelError, StopReason: "end_turn", RefundsSpent: true, Usage: usage}, life.Settlement{Charge: 42, Delta: -58}},
		{"failed, refunds spent", life.Record{Status: protocol.StatusFailed, ErrorCode: protocol.CodeModelError, RefundsSpent: true}, life.Settlement{Refund: 1, Delta: -100}},
		{"expired", life.Record{Status: protocol.StatusFailed, ErrorCode: protocol.CodeExpired, FirstClaimAt: claimed}, life.Settlement{Refund: 1, Delta: -100}},
		{"dead-lettered", life.Record{Status: protocol.StatusFailed, ErrorCode: protocol.CodeDeadLettered, FirstClaimAt: claimed}, life.Settlement{Refund: 1, Delta: -100}},
		{"cancelled before a claim", life.Record{Status: protocol.StatusCancelled, Attempt: 1}, life.Settlement{Refund: 1, Delta: -100}},
		{"cancelled after a claim", life.Record{Status: protocol.StatusCancelled, FirstClaimAt: claimed, Usage: usage}, life.Settlement{Charge: 42, Delta: -58}},
		{"cancelled after a claim, nothing known", life.Record{Status: protocol.StatusCancelled, FirstClaimAt: claimed}, life.Settlement{Charge: 40, Delta: -60}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.record.Estimate, test.record.Model.MaxTokens = 100, 60
			if got := life.Settle(test.record); got != test.want {
				t.Errorf("Settle = %+v, want %+v", got, test.want)
			}
		})
	}
}

// Whatever ends requests, the ledger of a month returns to the sum of the
// charges, and nothing in it is ever negative.
func TestLedgerReturnsToTheCharges(t *testing.T) {
	t.Parallel()
	codes := []protocol.Code{protocol.CodeModelError, protocol.CodeContentFiltered, protocol.CodeExpired, protocol.CodeDeadLettered, protocol.CodeInternal}
	rapid.Check(t, func(t *rapid.T) {
		var month life.Month
		var charges, counted int64
		var costs protocol.USD
		for range rapid.IntRange(1, 30).Draw(t, "requests") {
			r := life.Record{Estimate: rapid.Int64Range(1, 10_000).Draw(t, "estimate")}
			r.Model.MaxTokens = rapid.IntRange(1, 12_000).Draw(t, "maxTokens")
			if rapid.Bool().Draw(t, "priced") {
				r = r.PricedAt(drawPrice(t))
			}
			month.Used++
			month.Held += r.Estimate
			month.HeldCost += r.CostEstimate

			r.Status = rapid.SampledFrom([]protocol.Status{protocol.StatusSucceeded, protocol.StatusFailed, protocol.StatusCancelled}).Draw(t, "status")
			if r.Status == protocol.StatusFailed {
				r.ErrorCode = rapid.SampledFrom(codes).Draw(t, "code")
			}
			if rapid.Bool().Draw(t, "claimed") {
				r.FirstClaimAt = time.UnixMilli(1)
			}
			if rapid.Bool().Draw(t, "known") {
				r.Usage = &protocol.TokenUsage{
					InputTokens: rapid.Int64Range(-5, 9_000).Draw(t, "in"), OutputTokens: rapid.Int64Range(-5, 9_000).Draw(t, "out"),
					CacheReadTokens: rapid.Int64Range(-5, 9_000).Draw(t, "read"), CacheWriteTokens: rapid.Int64Range(-5, 9_000).Draw(t, "write"),
				}
			}
			s := life.Settle(r)
			month.Held += s.Delta
			month.Tokens += s.Charge
			month.Used -= s.Refund
			month.HeldCost += s.CostDelta
			month.Cost += s.Cost
			costs += s.Cost
			charges += s.Charge
			counted += 1 - s.Refund
			if s.Charge < 0 || s.Refund < 0 || s.Refund > 1 || (s.Refund == 1 && s.Charge != 0) || s.Excess != max(0, s.Charge-r.Estimate) ||
				s.Cost < 0 || (s.Refund == 1 || r.Price == nil) && s.Cost != 0 || s.CostExcess != max(0, s.Cost-r.CostEstimate) {
				t.Fatalf("Settle(%+v) = %+v", r, s)
			}
		}
		if month.Held != month.Tokens || month.Tokens != charges || month.Used != counted || month.Reserved() != 0 ||
			month.HeldCost != month.Cost || month.Cost != costs || month.ReservedCost() != 0 {
			t.Fatalf("month = %+v, charges %d, counted %d", month, charges, counted)
		}
	})
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   life.Input
		max  int
		want int64
	}{
		{"nothing but the answer", life.Input{}, 50, 50},
		{"one byte", life.Input{Messages: []protocol.Message{{Content: "a"}}}, 0, 9},
		{"three bytes", life.Input{Messages: []protocol.Message{{Content: "abc"}}}, 0, 9},
		{"four bytes", life.Input{Messages: []protocol.Message{{Content: "abcd"}}}, 0, 10},
		{"bytes, not characters", life.Input{Messages: []protocol.Message{{Content: "ééé"}}}, 0, 10},
		{"system counts", life.Input{Messages: []protocol.Message{{Content: "a"}}, System: []string{"abc", "d"}}, 7, 34},
	}
	for _, test := range tests {
		if got := life.Estimate(test.in, test.max); got != test.want {
			t.Errorf("%s: Estimate = %d, want %d", test.name, got, test.want)
		}
	}
}
