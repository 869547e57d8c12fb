package dynamo_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// TestClaim guards rule 7 of docs/life.md.
func TestClaim(t *testing.T) {
	t.Parallel()
	expiry := start.Add(life.DefaultLease + life.Skew)
	cancel := func(t *testing.T, db *dynamotest.Database, k life.Key) {
		claimed(t, db, k, start)
		if r, err := db.RequestCancel(ctx, k, start); err != nil || !r.Cancel {
			t.Fatalf("RequestCancel = %+v, %v", r, err)
		}
	}
	tests := []struct {
		name   string
		before func(*testing.T, *dynamotest.Database, life.Key)
		at     time.Time
		maxAge time.Duration
		want   life.Reason // "": claimed
	}{
		{"queued", func(*testing.T, *dynamotest.Database, life.Key) {}, start, 0, ""},
		{"live", func(t *testing.T, db *dynamotest.Database, k life.Key) { claimed(t, db, k, start) }, start.Add(time.Second), 0, life.ReasonLive},
		{"at the end of the lease and skew", func(t *testing.T, db *dynamotest.Database, k life.Key) { claimed(t, db, k, start) }, expiry, 0, life.ReasonLive},
		{"after the lease and skew", func(t *testing.T, db *dynamotest.Database, k life.Key) { claimed(t, db, k, start) }, expiry.Add(time.Millisecond), 0, ""},
		{"cancelled and dead", cancel, expiry.Add(time.Second), 0, life.ReasonCancelled},
		{"too old", func(*testing.T, *dynamotest.Database, life.Key) {}, start.Add(time.Hour), 15 * time.Minute, life.ReasonExpired},
		{"old enough", func(*testing.T, *dynamotest.Database, life.Key) {}, start.Add(15 * time.Minute), 15 * time.Minute, ""},
		{"attempts used up", func(t *testing.T, db *dynamotest.Database, k life.Key) {
			for range life.AttemptCap {
				if err := db.Release(ctx, claimed(t, db, k, start).Fence(), start); err != nil {
					t.Fatal(err)
				}
			}
		}, start, 0, life.ReasonCap},
		{"ended", func(t *testing.T, db *dynamotest.Database, k life.Key) {
			if _, err := db.EndUnowned(ctx, k, life.Ended(protocol.CodeCancelled), start); err != nil {
				t.Fatal(err)
			}
		}, start, 0, life.ReasonTerminal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := dynamotest.New(t)
			key := admitted(t, db, "u").Key
			test.before(t, db, key)
			prior, _ := db.Record(ctx, key)
			record, err := db.Claim(ctx, key, life.Claim{Owner: "me", Now: test.at, Lease: life.DefaultLease, MaxAge: test.maxAge})
			if refused, ok := errors.AsType[*life.ClaimRefused](err); ok || test.want != "" {
				if !ok || refused.Reason != test.want || !reflect.DeepEqual(refused.Record, prior) {
					t.Fatalf("Claim = %v, want %s", err, test.want)
				}
				return
			}
			if err != nil || record.Status != protocol.StatusStreaming || record.Attempt != prior.Attempt+1 || record.Owner != "me" {
				t.Errorf("Claim = %+v, %v", record, err)
			}
			if !record.LeaseUntil.Equal(test.at.Add(life.DefaultLease)) || record.FirstClaimAt.IsZero() {
				t.Errorf("lease until %v, first claim at %v", record.LeaseUntil, record.FirstClaimAt)
			}
		})
	}
}

func TestClaimWithALostResponseIsMine(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	key := admitted(t, db, "u").Key
	claim := life.Claim{Owner: "me", Now: start, Lease: life.DefaultLease}
	for range 2 {
		if record, err := db.Claim(ctx, key, claim); err != nil || record.Attempt != 1 {
			t.Fatalf("Claim = %+v, %v", record, err)
		}
	}
	if _, err := db.Claim(ctx, life.Key{UserID: "u", RequestID: "none"}, claim); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("claim of nothing: %v", err)
	}
}

// TestAttemptIsFenced guards rule 4 of docs/life.md.
func TestAttemptIsFenced(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	key := admitted(t, db, "u").Key
	old := claimed(t, db, key, start).Fence()
	later := start.Add(time.Hour)
	current := claimed(t, db, key, later).Fence()

	end := life.End{Status: protocol.StatusSucceeded, EndSeq: 3, StopReason: "end_turn", Usage: &protocol.TokenUsage{InputTokens: 1, OutputTokens: 2}}
	if err := db.Renew(ctx, old, later); !errors.Is(err, life.ErrFenced) {
		t.Errorf("Renew = %v", err)
	}
	if err := db.Release(ctx, old, later); !errors.Is(err, life.ErrFenced) {
		t.Errorf("Release = %v", err)
	}
	if r, err := db.Finish(ctx, old, end, later); !errors.Is(err, life.ErrFenced) || r.Attempt != 2 {
		t.Errorf("Finish = %+v, %v", r, err)
	}
	if err := db.Renew(ctx, current, later.Add(time.Minute)); err != nil {
		t.Errorf("Renew of the owner: %v", err)
	}
	for range 2 { // the second as after a lost response
		r, err := db.Finish(ctx, current, end, later)
		if err != nil || r.Status != protocol.StatusSucceeded || r.EndSeq != 3 || r.StopReason != "end_turn" || *r.Usage != *end.Usage {
			t.Errorf("Finish of the owner = %+v, %v", r, err)
		}
		if !r.ExpiresAt.Equal(life.RecordExpiry(later)) {
			t.Errorf("expires at %v", r.ExpiresAt)
		}
	}
	if err := db.Renew(ctx, current, later); !errors.Is(err, life.ErrFenced) {
		t.Errorf("Renew after the end: %v", err)
	}
}

// Calls inside an attempt were once counted in memory alone: an attempt that died
// gave its successors its calls back.
//
// It guards rule 7 of docs/life.md.
func TestCallsOfAllAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	key := admitted(t, db, "u").Key
	first := claimed(t, db, key, start)
	count := func(a life.Attempt, want bool) {
		t.Helper()
		if again, err := db.CountCall(ctx, a); err != nil || again != want {
			t.Errorf("CountCall = %v, %v, want %v", again, err, want)
		}
	}
	count(first.Fence(), true)
	later := start.Add(time.Hour)
	second := claimed(t, db, key, later)
	if second.Calls != 3 {
		t.Errorf("calls after two attempts and a repetition: %d, want 3", second.Calls)
	}
	if _, err := db.CountCall(ctx, first.Fence()); !errors.Is(err, life.ErrFenced) {
		t.Errorf("CountCall of a lost attempt: %v", err)
	}
	count(second.Fence(), true)
	count(second.Fence(), false)
	var refused *life.ClaimRefused
	_, err := db.Claim(ctx, key, life.Claim{Owner: "third", Now: later.Add(time.Hour), Lease: life.DefaultLease})
	if !errors.As(err, &refused) || refused.Reason != life.ReasonCap {
		t.Errorf("claim without calls left: %v", err)
	}
}

func TestReleaseWithALostResponse(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	attempt := claimed(t, db, admitted(t, db, "u").Key, start).Fence()
	for range 2 {
		if err := db.Release(ctx, attempt, start); err != nil {
			t.Errorf("Release = %v", err)
		}
	}
}

func TestFinalFailureIsStored(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	for _, final := range []bool{false, true} {
		key := admitted(t, db, "u").Key
		end := life.End{Status: protocol.StatusFailed, EndSeq: 1, ErrorCode: protocol.CodeModelError, Final: final}
		if _, err := db.Finish(ctx, claimed(t, db, key, start).Fence(), end, start); err != nil {
			t.Fatal(err)
		}
		if r, err := db.Record(ctx, key); err != nil || r.Final != final || r.ErrorCode != protocol.CodeModelError {
			t.Errorf("final %v is read as %+v, %v", final, r, err)
		}
	}
}

// TestEndUnowned guards rule 4 of docs/life.md.
func TestEndUnowned(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	key := admitted(t, db, "u").Key
	first := claimed(t, db, key, start)
	if _, err := db.EndUnowned(ctx, key, life.Ended(protocol.CodeDeadLettered), start); !errors.Is(err, life.ErrLive) {
		t.Fatalf("end of a live attempt: %v", err)
	}
	dead := start.Add(time.Minute)
	end := life.Ended(protocol.CodeCancelled)
	end.Usage = first.Metered(nil, 7)
	r, err := db.EndUnowned(ctx, key, end, dead)
	if err != nil || r.Status != protocol.StatusCancelled || r.Attempt != 2 || r.EndSeq != 0 || r.Owner != first.Owner {
		t.Fatalf("EndUnowned = %+v, %v", r, err)
	}
	if *r.Usage != (protocol.TokenUsage{InputTokens: 40, OutputTokens: 7, Estimated: true}) {
		t.Errorf("usage = %+v", r.Usage)
	}
	again, err := db.EndUnowned(ctx, key, life.Ended(protocol.CodeExpired), dead)
	if err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("second end = %+v, %v", again, err)
	}
	if r, err := db.RequestCancel(ctx, key, dead); err != nil || r.Cancel {
		t.Errorf("cancel of an ended request = %+v, %v", r, err)
	}
	if _, err := db.EndUnowned(ctx, life.Key{UserID: "v", RequestID: key.RequestID}, end, dead); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("end of another user's request: %v", err)
	}
}

func TestMarkResendIsDueOnce(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	key := admitted(t, db, "u").Key
	mark := func(now time.Time, want bool) {
		t.Helper()
		if due, err := db.MarkResend(ctx, key, now, now.Add(time.Minute)); err != nil || due != want {
			t.Errorf("at %v: due %v, %v", now, due, err)
		}
	}
	mark(start, true)
	mark(start.Add(59*time.Second), false)
	mark(start.Add(61*time.Second), true)
	if _, err := db.EndUnowned(ctx, key, life.Ended(protocol.CodeExpired), start); err != nil {
		t.Fatal(err)
	}
	mark(start.Add(time.Hour), false)
}

// A settlement that counts for the service is a transaction, of which one that
// fails costs as much as one that does not.
func TestSettlementForTheServiceWritesOnce(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	admitted(t, db, "u")
	record := claimed(t, db, admitted(t, db, "u").Key, start)
	record, err := db.Finish(ctx, record.Fence(), life.End{Status: protocol.StatusSucceeded, EndSeq: 1, Usage: &protocol.TokenUsage{InputTokens: 30, OutputTokens: 5}}, start)
	if err != nil {
		t.Fatal(err)
	}
	before := len(db.Calls())
	for i := range 2 {
		if settled, err := db.Settle(ctx, record); err != nil || settled != (i == 0) {
			t.Errorf("Settle %d = %v, %v", i, settled, err)
		}
	}
	var operations []string
	for _, call := range db.Calls()[before:] {
		operations = append(operations, call.Operation)
	}
	if want := []string{"GetItem", "TransactWriteItems", "GetItem"}; !slices.Equal(operations, want) {
		t.Errorf("calls %v, want %v", operations, want)
	}
}

// TestSettleOnce guards rule 3 of docs/life.md.
func TestSettleOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  life.End
		want life.Month
	}{
		{"succeeded", life.End{Status: protocol.StatusSucceeded, EndSeq: 1, Usage: &protocol.TokenUsage{InputTokens: 30, OutputTokens: 5}}, life.Month{Used: 1, Tokens: 35, Held: 35, Cost: 725, HeldCost: 725}},
		{"beyond the estimate", life.End{Status: protocol.StatusSucceeded, EndSeq: 1, Usage: &protocol.TokenUsage{InputTokens: 300, OutputTokens: 5}}, life.Month{Used: 1, Tokens: 305, Held: 305, Cost: 6_125, HeldCost: 6_125}},
		{"failed", life.End{Status: protocol.StatusFailed, EndSeq: 1, ErrorCode: protocol.CodeModelError}, life.Month{}},
		{"unanswered", life.End{Status: protocol.StatusFailed, EndSeq: 1, ErrorCode: protocol.CodeModelError, StopReason: "end_turn"}, life.Month{Unanswered: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := dynamotest.New(t)
			record := claimed(t, db, admitted(t, db, "u").Key, start)
			if _, err := db.Settle(ctx, record); err == nil {
				t.Error("settled before the end")
			}
			record, err := db.Finish(ctx, record.Fence(), test.end, start)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if settled, err := db.Settle(ctx, record); err != nil || settled != (i == 0) {
					t.Errorf("Settle %d = %v, %v", i, settled, err)
				}
			}
			account, _ := db.Account(ctx, "u")
			if account.InFlight != 0 || len(account.Open) != 0 || account.Months[period] != test.want {
				t.Errorf("account = %+v", account)
			}
			if spent, err := db.Spending(ctx, period); err != nil || spent != test.want.Cost {
				t.Errorf("the service has spent %d, %v, want %d", spent, err, test.want.Cost)
			}
		})
	}
}
