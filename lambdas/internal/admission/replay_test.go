package admission_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// TestReplay guards rule 9 of docs/life.md.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.submit(t.Context(), "key", hi)
	again := w.submit(t.Context(), "key", hi)
	if first.Status != 202 || again.Status != 202 || again.id() != first.id() || len(w.sent) != 1 {
		t.Fatalf("first %+v, again %+v, sent %v", first.Response, again.Response, w.sent)
	}
	if a := w.account(t); a.InFlight != 1 || a.Months["2026-11"].Used != 1 {
		t.Errorf("charged twice: %+v", a)
	}
	if !w.record(t, first.id()).Kept {
		t.Error("a replay answered 202 without keeping the request")
	}
	if a := w.submit(t.Context(), "key", `{"prompt": "hi"}`); a.code() != protocol.CodeIdempotencyConflict {
		t.Errorf("other body: %q", a.code())
	}
	if a := w.submit(t.Context(), "other", hi); a.Status != 202 || a.id() == first.id() {
		t.Errorf("other key: %+v", a.Response)
	}
}

// No limit holds a replay back, so one that stored its input again would let a
// user spend what an item of the largest size costs, as often as the API takes.
func TestReplayWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.submit(t.Context(), "key", hi)
	w.submit(t.Context(), "key", hi) // marks the request as kept
	before := len(w.db.Calls())
	for _, body := range []string{hi, `{"prompt":"another"}`} {
		w.submit(t.Context(), "key", body)
	}
	for _, call := range w.db.Calls()[before:] {
		if call.Operation != "GetItem" {
			t.Errorf("a replay called %s", call.Operation)
		}
	}
}

func TestReplayTellsTheCurrentStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.submit(t.Context(), "key", hi).id()
	record, err := w.db.Claim(t.Context(), life.Key{UserID: "u", RequestID: id}, life.Claim{Owner: "o", Now: noon, Lease: life.DefaultLease})
	if err != nil {
		t.Fatal(err)
	}
	status := func() protocol.Status { return w.submit(t.Context(), "key", hi).Body.(protocol.SubmitResponse).Status }
	if got := status(); got != protocol.StatusStreaming {
		t.Errorf("status %s", got)
	}
	if _, err := w.db.Finish(t.Context(), record.Fence(), life.End{Status: protocol.StatusFailed, EndSeq: 1, ErrorCode: protocol.CodeModelError}, noon); err != nil {
		t.Fatal(err)
	}
	if got := status(); got != protocol.StatusFailed {
		t.Errorf("status %s", got)
	}
}

// A replay is answered at every limit, when blocked, and under settings that
// would refuse the body today.
func TestReplayComesBeforeEveryRefusal(t *testing.T) {
	t.Parallel()
	body := `{"prompt":"hi","model":"n"}`
	tests := map[string]func(*world){
		"requests":  func(w *world) { w.Tiers.Default.MonthlyRequests = 1 },
		"tokens":    func(w *world) { w.Tiers.Default.MonthlyTokens = 1 },
		"in flight": func(w *world) { w.Cap = 1 },
		"rate":      func(w *world) { w.Rate = life.Rate{Interval: time.Hour} },
		"model":     func(w *world) { w.Model.Allowed = []string{"m"} },
		"maxTokens": func(w *world) { w.Model.MaxTokens = 5 },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Rate = life.NewRate(0.001, 1)
			first := w.submit(t.Context(), "key", body)
			change(w)
			again := w.submit(t.Context(), "key", body)
			if again.Status != 202 || again.id() != first.id() {
				t.Errorf("replay: %+v, %q", again.Response, again.code())
			}
			if a := w.submit(t.Context(), "key", hi); a.code() != protocol.CodeIdempotencyConflict {
				t.Errorf("other body at the limit: %q", a.code())
			}
		})
	}
}

// TestSameKeyFromManyCallers guards rule 13 of docs/life.md.
func TestSameKeyFromManyCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Rate = life.NewRate(1, 1)
	var wg sync.WaitGroup
	ids := make([]string, 50)
	for i := range ids {
		wg.Go(func() {
			a := w.submit(t.Context(), "key", hi)
			ids[i] = a.id()
			if a.Status != 202 {
				t.Errorf("caller %d: %q %v", i, a.code(), a.refusal)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("ids %v", ids)
		}
	}
	if a := w.account(t); a.InFlight != 1 || a.Months["2026-11"].Used != 1 {
		t.Errorf("account %+v", a)
	}
	if len(w.sent) != 1 {
		t.Errorf("sent %d times", len(w.sent))
	}
}

// TestFailedSendIsTakenBack guards rule 9 of docs/life.md.
func TestFailedSendIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sendErr = errors.New("queue is down")
	a := w.submit(t.Context(), "key", hi)
	if a.code() != protocol.CodeUnavailable || a.refusal.Header["Retry-After"] != "1" {
		t.Fatalf("answer %q", a.code())
	}
	if account := w.account(t); account.InFlight != 0 || len(account.Open) != 0 || account.Months["2026-11"] != (life.Month{}) {
		t.Errorf("not refunded: %+v", account)
	}
	w.sendErr = nil
	if a := w.submit(t.Context(), "key", hi); a.Status != 202 || len(w.sent) != 2 {
		t.Errorf("the key is not free again: %q", a.code())
	}
}

// TestFailedSendOfASeenRequestIsAccepted guards rule 9 of docs/life.md.
func TestFailedSendOfASeenRequestIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sendErr = errors.New("answer lost")
	w.onSend = func(key life.Key) {
		if _, err := w.db.Claim(context.Background(), key, life.Claim{Owner: "fast", Now: noon, Lease: life.DefaultLease}); err != nil {
			t.Error(err)
		}
	}
	if a := w.submit(t.Context(), "", hi); a.Status != 202 {
		t.Errorf("answer %q: the message arrived although its answer was lost", a.code())
	}
}

// Between the commit and the send, the first caller dies. The replay sends.
//
// It guards rule 5 of docs/life.md.
func TestReplayHealsALostSend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.submit(t.Context(), "key", hi)
	w.sent = nil
	w.pass(2 * time.Minute)
	if a := w.submit(t.Context(), "key", hi); a.Status != 202 || len(w.sent) != 1 || w.sent[0].RequestID != first.id() {
		t.Errorf("answer %+v, sent %v", a.Response, w.sent)
	}
}

// The answer to the transaction is lost. Whoever finds the record sends.
func TestLostAnswerOfTheTransaction(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "key"} {
		w := newWorld(t)
		w.db.Inject(func(c dynamotest.Call) dynamotest.Fault {
			return dynamotest.Fault{LoseResponse: c.Operation == "TransactWriteItems"}
		})
		a := w.submit(t.Context(), key, hi)
		if a.Status != 202 || len(w.sent) != 1 {
			t.Errorf("key %q: answer %q, sent %v", key, a.code(), w.sent)
		}
		if account := w.account(t); account.InFlight != 1 || account.Months["2026-11"].Used != 1 {
			t.Errorf("key %q: account %+v", key, account)
		}
	}
}

func TestUnknownOutcomeIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"GetItem", "PutItem", "TransactWriteItems"} {
		w := newWorld(t)
		var off atomic.Bool
		w.db.Inject(func(c dynamotest.Call) dynamotest.Fault {
			if c.Operation == operation && !off.Load() {
				return dynamotest.Fault{Error: "InternalServerError"}
			}
			return dynamotest.Fault{}
		})
		if a := w.submit(t.Context(), "key", hi); a.code() != protocol.CodeUnavailable {
			t.Errorf("%s fails: %q", operation, a.code())
		}
		off.Store(true)
		if a := w.submit(t.Context(), "key", hi); a.Status != 202 {
			t.Errorf("the same key after %s failed: %q", operation, a.code())
		}
	}
}
