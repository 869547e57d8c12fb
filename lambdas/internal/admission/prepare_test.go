package admission_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// patient is a store that reads no account before an input was written.
type patient struct {
	admission.Store
	written chan struct{}
}

func (s *patient) PutInput(ctx context.Context, requestID, hash string, in life.Input, expires time.Time) error {
	defer close(s.written)
	return s.Store.PutInput(ctx, requestID, hash, in, expires)
}

func (s *patient) Account(ctx context.Context, userID string) (life.Account, error) {
	select {
	case <-s.written:
	case <-time.After(10 * time.Second):
		return life.Account{}, errors.New("the input waits for the account")
	}
	return s.Store.Account(ctx, userID)
}

// The first word of an answer comes later by all that is done one after the
// other before it.
func TestWelcomeUserIsPreparedWhileTheAccountIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.start(t, "", "me", hi); err != nil {
		t.Fatal(err)
	}
	w.Store = &patient{w.db, make(chan struct{})}
	if _, err := w.start(t, "", "me", hi); err != nil || len(w.later) != 2 {
		t.Errorf("got %v; sent %v", err, w.later)
	}
}

// Refusals cost a read unit, not what an input costs and a message that finds
// nothing, however often somebody at a limit asks.
func TestRefusalIsPreparedOnceForEachAdmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Cap = 1
	if _, err := w.start(t, "", "me", hi); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := w.start(t, "", "me", hi); err == nil {
			t.Fatal("admitted beyond the cap")
		}
	}
	puts := 0
	for _, call := range w.db.Calls() {
		if call.Operation == "PutItem" {
			puts++
		}
	}
	if puts != 2 || len(w.later) != 2 {
		t.Errorf("%d inputs written and %d messages sent for one admission and five refusals, want 2 and 2", puts, len(w.later))
	}
}

// An input that could not be written holds the admission up, whenever it was
// tried: a record is never without its input.
func TestPreparationThatFailedAdmitsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.start(t, "", "me", hi); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no such table")
	w.Store = &unwritable{w.db, failure}
	if _, err := w.start(t, "", "me", hi); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if a := w.account(t); a.InFlight != 1 {
		t.Errorf("%d requests are open", a.InFlight)
	}
}

type unwritable struct {
	admission.Store
	err error
}

func (s *unwritable) PutInput(context.Context, string, string, life.Input, time.Time) error {
	return s.err
}
