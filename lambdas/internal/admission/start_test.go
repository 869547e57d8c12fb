package admission_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// start admits body for user u, as the owner of its first attempt.
func (w *world) start(t *testing.T, key, owner, body string) (admission.Admitted, error) {
	t.Helper()
	headers := map[string]string{}
	if key != "" {
		headers["Idempotency-Key"] = key
	}
	request := httpapi.NewRequest("u", nil, headers, []byte(body))
	return w.Start(t.Context(), request, []byte(body), life.Claim{Owner: owner, Lease: life.DefaultLease})
}

func TestStartClaimsWhatItAdmits(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"answered", "answer lost"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.db.Inject(func(c dynamotest.Call) dynamotest.Fault {
				return dynamotest.Fault{LoseResponse: name == "answer lost" && c.Operation == "TransactWriteItems"}
			})
			admitted, err := w.start(t, "key", "me", hi)
			if err != nil || admitted.Replayed || admitted.Usage.InFlight != 1 {
				t.Fatalf("got %+v, %v", admitted, err)
			}
			if len(w.sent) != 0 {
				t.Errorf("sent %v: the caller runs the request", w.sent)
			}
			if want := life.DefaultLease + life.Skew + time.Second; len(w.later) != 1 || w.later[0] != want {
				t.Errorf("sent to arrive after %v, want %v", w.later, want)
			}
			r := w.record(t, admitted.Record.RequestID)
			if r.Fence() != admitted.Record.Fence() || r.Owner != "me" || r.Attempt != 1 || r.Calls != 1 ||
				r.Status != protocol.StatusStreaming || !r.LeaseUntil.Equal(noon.Add(life.DefaultLease)) || !r.Claimed() {
				t.Errorf("record %+v", r)
			}
			if _, err := w.db.Claim(t.Context(), r.Key, life.Claim{Owner: "other", Now: noon, Lease: life.DefaultLease}); err == nil {
				t.Error("another attempt claimed a request that its admission holds")
			}
			late := noon.Add(life.DefaultLease + life.Skew + time.Millisecond)
			if r, err := w.db.Claim(t.Context(), r.Key, life.Claim{Owner: "other", Now: late, Lease: life.DefaultLease}); err != nil || r.Attempt != 2 {
				t.Errorf("after the lease: %+v, %v", r, err)
			}
		})
	}
}

// A caller that is killed right after the write of its claim must leave a
// message behind, so that is sent before. Without a queue there is a request all
// the same.
//
// It guards rule 15 of docs/life.md.
func TestMessageStandsByBeforeTheClaimIsWritten(t *testing.T) {
	t.Parallel()
	for _, sendErr := range []error{nil, errors.New("no queue")} {
		w := newWorld(t)
		w.sendErr = sendErr
		w.onSend = func(key life.Key) {
			if _, err := w.db.Record(t.Context(), key); !errors.Is(err, life.ErrNotFound) {
				t.Errorf("the record is there: %v", err)
			}
		}
		if admitted, err := w.start(t, "key", "me", hi); err != nil || admitted.Record.Owner != "me" || len(w.later) != 1 {
			t.Errorf("got %+v, %v; sent %v", admitted, err, w.later)
		}
	}
}

// A claim whose write lost its answer may be another's by the time it is read:
// two processes must not hold one fence.
func TestStartDoesNotTakeTheClaimOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.Inject(func(c dynamotest.Call) dynamotest.Fault {
		return dynamotest.Fault{LoseResponse: c.Operation == "TransactWriteItems"}
	})
	w.Store = &slowReader{w.db, func(key life.Key) {
		late := noon.Add(life.DefaultLease + life.Skew + time.Millisecond)
		if _, err := w.db.Claim(t.Context(), key, life.Claim{Owner: "other", Now: late, Lease: life.DefaultLease}); err != nil {
			t.Error(err)
		}
	}}
	admitted, err := w.start(t, "key", "me", hi)
	if err != nil || !admitted.Replayed || admitted.Record.Owner != "other" {
		t.Errorf("got %+v, %v", admitted, err)
	}
}

// slowReader is a store that tells of an existing record late.
type slowReader struct {
	admission.Store
	meanwhile func(life.Key)
}

func (s *slowReader) Admit(ctx context.Context, a life.Admission, account life.Account) error {
	err := s.Store.Admit(ctx, a, account)
	existing, ok := errors.AsType[*life.Existing](err)
	if !ok {
		return err
	}
	s.meanwhile(a.Record.Key)
	record, err := s.Record(ctx, a.Record.Key)
	if err != nil {
		return err
	}
	return &life.Existing{Record: record, Unsent: existing.Unsent}
}

func TestStartReplays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, err := w.start(t, "key", "me", hi)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.start(t, "key", "another", hi)
	if err != nil || !again.Replayed || again.Record.RequestID != first.Record.RequestID || again.Record.Owner != "me" {
		t.Errorf("again: %+v, %v", again, err)
	}
	if a := w.account(t); a.InFlight != 1 || a.Months["2026-11"].Used != 1 {
		t.Errorf("charged twice: %+v", a)
	}
	if _, err := w.start(t, "key", "me", `{"prompt":"another"}`); httpapi.AsError(err).Problem.Code != protocol.CodeIdempotencyConflict {
		t.Errorf("other body: %v", err)
	}
}

func TestStartRefusesAtALimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Cap = 1
	if _, err := w.start(t, "a", "me", hi); err != nil {
		t.Fatal(err)
	}
	if _, err := w.start(t, "b", "me", hi); httpapi.AsError(err).Problem.Code != protocol.CodeTooManyInFlight {
		t.Errorf("got %v", err)
	}
}
