package dynamo_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"

	"github.com/streaming-service/streaming-service/internal/environment"
)

var (
	start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	ctx   = context.Background()
)

const period = "2026-11"

// admission asks for one request of the user, with an estimate of 100 tokens,
// which reserve 2,300 nano-dollars.
func admission(userID, requestID string, change func(*life.Admission)) life.Admission {
	a := life.Admission{
		Record: life.Record{
			Key:        life.Key{UserID: userID, RequestID: requestID},
			Period:     period,
			Estimate:   100,
			BodyHash:   "hash",
			Nonce:      life.NewOwner(),
			Model:      life.ModelParameters{ModelID: "model", MaxTokens: 60, Temperature: new(0.5)},
			Status:     protocol.StatusQueued,
			AttemptCap: life.AttemptCap,
			CreatedAt:  start,
			UpdatedAt:  start,
		},
		Allowance: life.Allowance{Tier: life.DefaultTier, Limits: environment.Limits{MonthlyRequests: 10, MonthlyTokens: 10_000}},
		Cap:       1000,
		Now:       start,
		ResetsAt:  start.AddDate(0, 0, 7),
	}
	a.Record = a.Record.PricedAt(life.Price{Input: 20_000_000, Output: 25_000_000, CacheRead: 1_000_000, CacheWrite: 20_000_000})
	a.Record.ForService = true
	if change != nil {
		change(&a)
	}
	return a
}

func admit(t *testing.T, db *dynamotest.Database, a life.Admission) error {
	t.Helper()
	account, err := db.Account(ctx, a.Record.UserID)
	if err != nil {
		t.Fatal(err)
	}
	return db.Admit(ctx, a, account)
}

// admitted returns the record of a fresh request.
func admitted(t *testing.T, db *dynamotest.Database, userID string) life.Record {
	t.Helper()
	a := admission(userID, life.NewRequestID(), nil)
	if err := admit(t, db, a); err != nil {
		t.Fatalf("admitting: %v", err)
	}
	return a.Record
}

func claimed(t *testing.T, db *dynamotest.Database, key life.Key, now time.Time) life.Record {
	t.Helper()
	record, err := db.Claim(ctx, key, life.Claim{Owner: life.NewOwner(), Now: now, Lease: life.DefaultLease})
	if err != nil {
		t.Fatalf("claiming: %v", err)
	}
	return record
}

// TestAdmitWritesRecordAndAccount guards rule 12 of docs/life.md.
func TestAdmitWritesRecordAndAccount(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	a := admission("u", life.NewRequestID(), func(a *life.Admission) { a.Rate = life.NewRate(10, 5) })
	if err := admit(t, db, a); err != nil {
		t.Fatal(err)
	}

	record, err := db.Record(ctx, a.Record.Key)
	if err != nil {
		t.Fatal(err)
	}
	want := a.Record
	want.CreatedAt, want.UpdatedAt = record.CreatedAt, record.UpdatedAt
	if !reflect.DeepEqual(record, want) || !record.CreatedAt.Equal(start) {
		t.Errorf("record = %+v, want %+v", record, want)
	}

	account, err := db.Account(ctx, "u")
	if err != nil {
		t.Fatal(err)
	}
	wantAccount := life.Account{
		UserID: "u", TAT: account.TAT, InFlight: 1, Open: []string{a.Record.RequestID}, OpenSince: account.OpenSince,
		Months: map[string]life.Month{period: {Used: 1, Held: 100, HeldCost: 2_300}}, Unclosed: []string{period},
	}
	if !reflect.DeepEqual(account, wantAccount) {
		t.Errorf("account = %+v, want %+v", account, wantAccount)
	}
	if !account.TAT.Equal(start.Add(100*time.Millisecond)) || !account.OpenSince.Equal(start) {
		t.Errorf("tat = %v, open since %v", account.TAT, account.OpenSince)
	}
}

func TestAdmitRefuses(t *testing.T) {
	t.Parallel()
	limits := func(requests, tokens int64) func(*life.Admission) {
		return func(a *life.Admission) {
			a.Allowance.MonthlyRequests, a.Allowance.MonthlyTokens = requests, tokens
		}
	}
	budget := func(dollars string) func(*life.Admission) {
		return func(a *life.Admission) {
			a.Allowance = life.Allowance{}
			a.Allowance.MonthlyBudget, _ = protocol.ParseUSD(dollars)
		}
	}
	tests := []struct {
		name  string
		prior int // requests admitted before, without a limit
		ask   func(*life.Admission)
		want  *life.Refusal
	}{
		{"under the limit of requests", 2, limits(3, 0), nil},
		{"at the limit of requests", 3, limits(3, 0), &life.Refusal{Code: protocol.CodeQuotaExceeded, RetryAfter: 604800, Quota: "requests", Limit: 3, Used: 3}},
		{"exactly the tokens left", 2, limits(0, 300), nil},
		{"one token too few", 2, limits(0, 299), &life.Refusal{Code: protocol.CodeQuotaExceeded, RetryAfter: 604800, Quota: "tokens", Limit: 299, Used: 0}},
		{"new user asks for more than the limit", 0, limits(0, 99), &life.Refusal{Code: protocol.CodeQuotaExceeded, RetryAfter: 604800, Quota: "tokens", Limit: 99, Used: 0}},
		{"exactly the budget left", 2, budget("0.0000069"), nil},
		{"one nano-dollar too few", 2, budget("0.000006899"), &life.Refusal{Code: protocol.CodeQuotaExceeded, RetryAfter: 604800, Quota: "budget", Limit: 6_899}},
		{"new user asks for more than the budget", 0, budget("0.000002299"), &life.Refusal{Code: protocol.CodeQuotaExceeded, RetryAfter: 604800, Quota: "budget", Limit: 2_299}},
		{"a budget and no price", 0, func(a *life.Admission) { a.Allowance.MonthlyBudget, a.Record.Price = 1, nil }, &life.Refusal{Code: protocol.CodeModelNotAllowed}},
		{"unlimited", 12, limits(0, 0), nil},
		{"one place left", 2, func(a *life.Admission) { a.Cap = 3 }, nil},
		{"no place left", 3, func(a *life.Admission) { a.Cap = 3 }, &life.Refusal{Code: protocol.CodeTooManyInFlight, RetryAfter: 1}},
		{"no cap", 3, func(a *life.Admission) { a.Cap = 0 }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := dynamotest.New(t)
			for range test.prior {
				if err := admit(t, db, admission("u", life.NewRequestID(), func(a *life.Admission) { limits(0, 0)(a); a.Cap = 0 })); err != nil {
					t.Fatal(err)
				}
			}
			a := admission("u", life.NewRequestID(), test.ask)
			stale := life.Account{UserID: "u"} // so that the write decides
			err := db.Admit(ctx, a, stale)
			refusal, _ := errors.AsType[*life.Refusal](err)
			if !reflect.DeepEqual(refusal, test.want) || (refusal == nil && err != nil) {
				t.Errorf("Admit = %v, want %+v", err, test.want)
			}
			_, err = db.Record(ctx, a.Record.Key)
			if refused := errors.Is(err, life.ErrNotFound); refused != (test.want != nil) {
				t.Errorf("record: %v", err)
			}
		})
	}
}

func TestAdmitLimitsTheRate(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	ask := func(at time.Duration) error {
		return admit(t, db, admission("u", life.NewRequestID(), func(a *life.Admission) {
			a.Now = start.Add(at)
			a.Rate = life.NewRate(2, 3) // T = 500 ms, tau = 1 s
		}))
	}
	for i := range 3 {
		if err := ask(0); err != nil {
			t.Fatalf("request %d of the burst: %v", i+1, err)
		}
	}
	refusal, ok := errors.AsType[*life.Refusal](ask(499 * time.Millisecond))
	if !ok || refusal.Code != protocol.CodeRateLimited || refusal.RetryAfter != 1 {
		t.Fatalf("beyond the burst: %+v", refusal)
	}
	if err := ask(500 * time.Millisecond); err != nil {
		t.Errorf("after one interval: %v", err)
	}
	for i := range 3 {
		if err := ask(time.Minute); err != nil {
			t.Errorf("request %d of the burst after a pause: %v", i+1, err)
		}
	}
}

// TestAdmitMeetsTheRecordOfItsKey guards rule 12 of docs/life.md.
func TestAdmitMeetsTheRecordOfItsKey(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	first := admission("u", life.NewRequestID(), nil)
	if err := admit(t, db, first); err != nil {
		t.Fatal(err)
	}
	again := first
	again.Now = start.Add(time.Second)
	again.Record.Nonce = life.NewOwner()
	existing, ok := errors.AsType[*life.Existing](admit(t, db, again))
	if !ok || existing.Unsent || existing.Record.RequestID != first.Record.RequestID {
		t.Fatalf("existing = %+v", existing)
	}
	account, _ := db.Account(ctx, "u")
	if account.InFlight != 1 || account.Months[period].Used != 1 {
		t.Errorf("charged twice: %+v", account)
	}
}

func TestParallelFirstRequestsOfAnUnknownUserStopAtTheLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		quota  string
		used   int64
		limits environment.Limits
	}{
		{"requests", 10, environment.Limits{MonthlyRequests: 10}},
		{"tokens", 0, environment.Limits{MonthlyTokens: 1_099}},
		{"budget", 0, environment.Limits{MonthlyBudget: 25_299}},
	} {
		t.Run(test.quota, func(t *testing.T) {
			t.Parallel()
			db := dynamotest.New(t)
			var admitted, refused atomic.Int64
			var wg sync.WaitGroup
			for range 200 {
				wg.Go(func() {
					a := admission("new", life.NewRequestID(), func(a *life.Admission) { a.Allowance.Limits = test.limits })
					err := db.Admit(ctx, a, life.Account{UserID: "new"})
					refusal, ok := errors.AsType[*life.Refusal](err)
					switch {
					case err == nil:
						admitted.Add(1)
					case ok && refusal.Quota == test.quota && refusal.Used == test.used:
						refused.Add(1)
					default:
						t.Errorf("Admit = %v", err)
					}
				})
			}
			wg.Wait()
			if admitted.Load() != 10 || refused.Load() != 190 {
				t.Errorf("admitted %d, refused %d", admitted.Load(), refused.Load())
			}
			account, _ := db.Account(ctx, "new")
			if want := (life.Month{Used: 10, Held: 1000, HeldCost: 23_000}); account.InFlight != 10 || len(account.Open) != 10 || account.Months[period] != want {
				t.Errorf("account = %+v", account)
			}
		})
	}
}

func TestConflictsAreTriedAgain(t *testing.T) {
	t.Parallel()
	tests := []struct{ operation, code string }{
		{"TransactWriteItems", "TransactionCanceledException"},
		{"UpdateItem", "TransactionConflictException"},
	}
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			t.Parallel()
			db := dynamotest.New(t)
			var failures atomic.Int64
			db.Inject(func(c dynamotest.Call) dynamotest.Fault {
				if c.Operation == test.operation && failures.Add(1) <= 5 {
					return dynamotest.Fault{Error: test.code}
				}
				return dynamotest.Fault{}
			})
			record := admitted(t, db, "u")
			claimed(t, db, record.Key, start)
			if failures.Load() < 6 {
				t.Errorf("%d calls of %s", failures.Load(), test.operation)
			}
		})
	}
}

func TestConflictsEndWithTheContext(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	db.Inject(func(c dynamotest.Call) dynamotest.Fault {
		if c.Operation == "TransactWriteItems" {
			return dynamotest.Fault{Error: "TransactionCanceledException"}
		}
		return dynamotest.Fault{}
	})
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if err := db.Admit(ctx, admission("u", life.NewRequestID(), nil), life.Account{}); !errors.Is(err, life.ErrUnavailable) {
		t.Errorf("conflicts without end: %v, want ErrUnavailable", err)
	}
}

// TestAmbiguousAdmissionReadsTheRecord guards rule 13 of docs/life.md.
func TestAmbiguousAdmissionReadsTheRecord(t *testing.T) {
	t.Parallel()
	onTransaction := func(f dynamotest.Fault) func(dynamotest.Call) dynamotest.Fault {
		return func(c dynamotest.Call) dynamotest.Fault {
			if c.Operation == "TransactWriteItems" {
				return f
			}
			return dynamotest.Fault{}
		}
	}
	t.Run("committed", func(t *testing.T) {
		t.Parallel()
		db := dynamotest.New(t)
		db.Inject(onTransaction(dynamotest.Fault{LoseResponse: true}))
		err := admit(t, db, admission("u", life.NewRequestID(), nil))
		if existing, ok := errors.AsType[*life.Existing](err); !ok || !existing.Unsent {
			t.Errorf("Admit = %v, want an unsent existing record", err)
		}
	})
	t.Run("not committed", func(t *testing.T) {
		t.Parallel()
		db := dynamotest.New(t)
		db.Inject(onTransaction(dynamotest.Fault{Error: "InternalServerError"}))
		if err := admit(t, db, admission("u", life.NewRequestID(), nil)); !errors.Is(err, life.ErrUnavailable) {
			t.Errorf("Admit = %v, want ErrUnavailable", err)
		}
	})
	t.Run("denied", func(t *testing.T) {
		t.Parallel()
		db := dynamotest.New(t)
		db.Inject(onTransaction(dynamotest.Fault{Error: "AccessDeniedException"}))
		if err := admit(t, db, admission("u", life.NewRequestID(), nil)); err == nil || errors.Is(err, life.ErrUnavailable) {
			t.Errorf("Admit = %v, want a certain failure", err)
		}
	})
}

// TestTakeBack guards rule 9 of docs/life.md.
func TestTakeBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before func(*testing.T, *dynamotest.Database, life.Key)
		want   bool
	}{
		{"never seen", func(*testing.T, *dynamotest.Database, life.Key) {}, true},
		{"kept by a replay", func(t *testing.T, db *dynamotest.Database, k life.Key) {
			if r, err := db.Keep(ctx, k); err != nil || !r.Kept {
				t.Fatalf("Keep = %+v, %v", r, err)
			}
		}, false},
		{"claimed", func(t *testing.T, db *dynamotest.Database, k life.Key) { claimed(t, db, k, start) }, false},
		{"released", func(t *testing.T, db *dynamotest.Database, k life.Key) {
			if err := db.Release(ctx, claimed(t, db, k, start).Fence(), start); err != nil {
				t.Fatal(err)
			}
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := dynamotest.New(t)
			record := admitted(t, db, "u")
			test.before(t, db, record.Key)
			taken, err := db.TakeBack(ctx, record)
			if err != nil || taken != test.want {
				t.Fatalf("TakeBack = %v, %v", taken, err)
			}
			_, err = db.Record(ctx, record.Key)
			account, _ := db.Account(ctx, "u")
			if gone := errors.Is(err, life.ErrNotFound); gone != test.want || (account.InFlight == 0) != test.want {
				t.Errorf("record %v, account %+v", err, account)
			}
			if test.want && account.Months[period] != (life.Month{}) {
				t.Errorf("not refunded: %+v", account)
			}
		})
	}
}

func TestTakenBackWithALostResponse(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	record := admitted(t, db, "u")
	db.Inject(func(c dynamotest.Call) dynamotest.Fault {
		return dynamotest.Fault{LoseResponse: c.Operation == "TransactWriteItems"}
	})
	if taken, err := db.TakeBack(ctx, record); err != nil || !taken {
		t.Errorf("TakeBack = %v, %v", taken, err)
	}
	if _, err := db.Keep(ctx, record.Key); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("Keep = %v, want ErrNotFound", err)
	}
}
