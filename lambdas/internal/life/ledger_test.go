package life_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// ledger drives the requests of one user through random lives and compares the
// account with the records after every step.
type ledger struct {
	*world
	user    string
	records []life.Key // admitted and not taken back
	claims  []life.Record
	ends    map[life.Key]string // end frames, which never change
}

const (
	ledgerRequests = 12
	ledgerTokens   = 900
	ledgerCap      = 5
	ledgerBudget   = 3_000 // nano-dollars
)

func (l *ledger) fail(t *rapid.T, err error, allowed ...error) {
	if err != nil && !slices.ContainsFunc(allowed, func(a error) bool { return errors.Is(err, a) }) {
		t.Fatal(err)
	}
}

func (l *ledger) pick(t *rapid.T) (life.Record, bool) {
	if len(l.records) == 0 {
		return life.Record{}, false
	}
	key := rapid.SampledFrom(l.records).Draw(t, "request")
	record, err := l.db.Record(context.Background(), key)
	l.fail(t, err)
	return record, true
}

func (l *ledger) admit(t *rapid.T) {
	period := rapid.SampledFrom([]string{"2026-11", "2026-12"}).Draw(t, "period")
	record := life.Record{
		Key: life.Key{UserID: l.user, RequestID: life.NewRequestID()}, Period: period, Nonce: life.NewOwner(),
		Estimate: rapid.Int64Range(61, 400).Draw(t, "estimate"), Model: life.ModelParameters{MaxTokens: 60},
		Status: protocol.StatusQueued, AttemptCap: life.AttemptCap, CreatedAt: l.clock, UpdatedAt: l.clock,
	}
	limits := environment.Limits{MonthlyRequests: ledgerRequests, MonthlyTokens: ledgerTokens}
	if rapid.IntRange(0, 4).Draw(t, "priced") > 0 {
		record = record.PricedAt(drawPrice(t))
		limits.MonthlyBudget = ledgerBudget
		record.ForService = rapid.Bool().Draw(t, "for the service")
	}
	account, err := l.db.Account(context.Background(), l.user)
	l.fail(t, err)
	before, open := account.Months[period], account.InFlight
	if rapid.Bool().Draw(t, "stale") {
		account = life.Account{UserID: l.user}
	}
	err = l.db.Admit(context.Background(), life.Admission{
		Record: record, Now: l.clock, ResetsAt: l.clock.Add(time.Hour), Cap: ledgerCap,
		Allowance: life.Allowance{Limits: limits},
	}, account)
	over := before.Used >= ledgerRequests || before.Held+record.Estimate > ledgerTokens || open >= ledgerCap ||
		limits.MonthlyBudget > 0 && before.HeldCost+record.CostEstimate > limits.MonthlyBudget
	if _, refused := errors.AsType[*life.Refusal](err); refused != over || (err != nil && !refused) {
		t.Fatalf("Admit = %v with %+v and an estimate of %d", err, before, record.Estimate)
	}
	if err == nil {
		l.records = append(l.records, record.Key)
	}
}

func (l *ledger) takeBack(t *rapid.T) {
	if record, ok := l.pick(t); ok {
		taken, err := l.db.TakeBack(context.Background(), record)
		l.fail(t, err)
		if taken {
			l.records = slices.DeleteFunc(l.records, func(k life.Key) bool { return k == record.Key })
		}
	}
}

func (l *ledger) claimOne(t *rapid.T) {
	record, ok := l.pick(t)
	if !ok {
		return
	}
	claimed, err := l.db.Claim(context.Background(), record.Key, life.Claim{Owner: life.NewOwner(), Now: l.clock, Lease: life.DefaultLease, MaxAge: l.MaxAge})
	if refused, ok := errors.AsType[*life.ClaimRefused](err); ok {
		_, err := l.Decline(context.Background(), refused)
		l.fail(t, err)
		return
	}
	l.fail(t, err)
	l.claims = append(l.claims, claimed)
}

// finish ends an attempt, perhaps one that has lost its request long ago, and
// perhaps dies before it settles.
func (l *ledger) finish(t *rapid.T) {
	if len(l.claims) == 0 {
		return
	}
	claimed := rapid.SampledFrom(l.claims).Draw(t, "attempt")
	if rapid.Bool().Draw(t, "release") {
		l.fail(t, l.db.Release(context.Background(), claimed.Fence(), l.clock), life.ErrFenced)
		return
	}
	end := rapid.SampledFrom([]life.End{
		{Status: protocol.StatusSucceeded, EndSeq: 2, StopReason: "end_turn", Usage: &protocol.TokenUsage{InputTokens: 20, OutputTokens: 30}},
		{Status: protocol.StatusSucceeded, EndSeq: 2, StopReason: "end_turn", Usage: &protocol.TokenUsage{InputTokens: 700, OutputTokens: 30, CacheReadTokens: 600, CacheWriteTokens: 50}},
		{Status: protocol.StatusFailed, EndSeq: 1, ErrorCode: protocol.CodeModelError},
		{Status: protocol.StatusFailed, EndSeq: 1, ErrorCode: protocol.CodeModelError, StopReason: "end_turn"},
		{Status: protocol.StatusCancelled, EndSeq: 4, ErrorCode: protocol.CodeCancelled, Usage: claimed.Metered(nil, 3)},
	}).Draw(t, "end")
	ended, err := l.db.Finish(context.Background(), claimed.Fence(), end, l.clock)
	l.fail(t, err, life.ErrFenced)
	if err == nil && rapid.Bool().Draw(t, "survives") {
		l.fail(t, l.Conclude(context.Background(), ended))
	}
}

func (l *ledger) cancel(t *rapid.T) {
	if record, ok := l.pick(t); ok {
		_, err := l.Cancel(context.Background(), record.Key)
		l.fail(t, err)
	}
}

func (l *ledger) heal(t *rapid.T) {
	if record, ok := l.pick(t); ok {
		_, err := l.Heal(context.Background(), record)
		l.fail(t, err)
	}
}

func (l *ledger) time(t *rapid.T) {
	l.pass(time.Duration(rapid.IntRange(1, 120).Draw(t, "seconds")) * time.Second)
}

// check compares the account with the records: the invariants that hold always.
func (l *ledger) check(t *rapid.T) {
	ctx := context.Background()
	account, err := l.db.Account(ctx, l.user)
	l.fail(t, err)
	if account.InFlight != int64(len(account.Open)) || account.InFlight < 0 {
		t.Fatalf("in flight %d, open %v", account.InFlight, account.Open)
	}
	records, err := l.db.Records(ctx, l.records)
	l.fail(t, err)
	if len(records) != len(l.records) {
		t.Fatalf("%d of %d records", len(records), len(l.records))
	}
	want, spent := map[string]life.Month{}, map[string]protocol.USD{}
	for key, r := range records {
		settled := !slices.Contains(account.Open, key.RequestID)
		want[r.Period] = want[r.Period].With(r, !settled)
		if settled {
			l.settledOnlyIfEnded(t, r)
			if r.ForService {
				spent[r.Period] += life.Settle(r).Cost
			}
		}
		l.endNeverChanges(t, r)
	}
	for period, m := range account.Months {
		if m != want[period] {
			t.Fatalf("%s: account %+v, records %+v", period, m, want[period])
		}
		stored, err := l.db.Spending(ctx, period)
		l.fail(t, err)
		if stored != spent[period] {
			t.Fatalf("%s: the service has spent %s, records %s", period, stored, spent[period])
		}
	}
}

func (l *ledger) settledOnlyIfEnded(t *rapid.T, r life.Record) {
	if !r.Status.Terminal() {
		t.Fatalf("settled before its end: %+v", r)
	}
}

func (l *ledger) endNeverChanges(t *rapid.T, r life.Record) {
	if !r.Status.Terminal() {
		return
	}
	frame := string(life.EndFrame(r).Encode())
	if before, ok := l.ends[r.Key]; ok && before != frame {
		t.Fatalf("end changed from %s to %s", before, frame)
	}
	l.ends[r.Key] = frame
}

// rest lets time pass and sweeps until nothing moves, and checks that nothing is
// open any more.
func (l *ledger) rest(t *rapid.T) {
	ctx := context.Background()
	for range 2 {
		l.pass(20 * time.Minute)
		account, err := l.db.Account(ctx, l.user)
		l.fail(t, err)
		for _, id := range account.Open {
			record, err := l.db.Record(ctx, life.Key{UserID: l.user, RequestID: id})
			l.fail(t, err)
			_, err = l.Heal(ctx, record)
			l.fail(t, err)
		}
	}
	account, err := l.db.Account(ctx, l.user)
	l.fail(t, err)
	if len(account.Open) != 0 || account.InFlight != 0 {
		t.Fatalf("at rest: %+v", account)
	}
	for period, m := range account.Months {
		if m.Held != m.Tokens || m.HeldCost != m.Cost {
			t.Fatalf("at rest %s: %+v", period, m)
		}
	}
}

// TestLedger guards rule 3 of docs/life.md.
func TestLedger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := &ledger{world: newWorld(t), user: life.NewOwner(), ends: map[life.Key]string{}}
		r.Repeat(map[string]func(*rapid.T){
			"admit":    l.admit,
			"takeBack": l.takeBack,
			"claim":    l.claimOne,
			"finish":   l.finish,
			"cancel":   l.cancel,
			"heal":     l.heal,
			"time":     l.time,
			"":         l.check,
		})
		l.rest(r)
		l.check(r)
	})
}
