package processor_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// TestLongStreamKeepsItsLeaseAndItsMessage guards rule 6 of docs/life.md.
func TestLongStreamKeepsItsLeaseAndItsMessage(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = func(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
			if err := say(ctx, write, 6000); err != nil {
				return model.Answer{}, err
			}
			return model.Answer{StopReason: "end_turn", Usage: new(reported)}, nil
		}
		m := w.admit(nil)
		p, other := w.start(), w.start()
		done := make(chan bool)
		go func() { done <- p.handle(m) }()
		for range 29 {
			time.Sleep(10 * time.Second)
			w.mu.Lock()
			hidden := time.Until(w.visible[m.ReceiptHandle])
			w.mu.Unlock()
			if hidden < 30*time.Second {
				t.Fatalf("the message comes back in %v", hidden)
			}
			receipt := m
			receipt.ReceiptHandle = "duplicate"
			if other.handle(receipt) {
				t.Fatal("a duplicate was deleted")
			}
		}
		if !<-done || w.record(m).Attempt != 1 || w.modelCalls() != 1 {
			t.Errorf("record %+v after %d model calls", w.record(m), w.modelCalls())
		}
	})
}

// An answer of 14 s, 1,000 tokens at a common rate, needs no renewal: each costs a
// write unit and a call to the queue.
func TestLeaseIsRenewedEveryFifteenSeconds(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		p := w.start()
		begun := time.Now()
		var renewals []time.Duration
		p.hook = func(operation string, after bool) error {
			if operation == "renew" && !after {
				renewals = append(renewals, time.Since(begun).Round(time.Second))
			}
			return nil
		}
		w.onModel = func(ctx context.Context, _ int, _ func(string)) (model.Answer, error) {
			select {
			case <-time.After(50 * time.Second):
			case <-ctx.Done():
			}
			return model.Answer{}, ctx.Err()
		}
		p.handle(w.admit(nil))
		want := []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second}
		if !slices.Equal(renewals[:min(3, len(renewals))], want) {
			t.Errorf("renewed at %v, want %v", renewals, want)
		}
	})
}

func TestFencedAttemptPostsNoEnd(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		m := w.admit(nil)
		var lost time.Time
		time.AfterFunc(2*time.Second, func() {
			lost = time.Now()
			w.update(m, func(r *life.Record) { r.Attempt, r.Owner = 2, "other" })
		})
		if w.start().handle(m) {
			t.Error("deleted by an attempt that lost its request")
		}
		if took := time.Since(lost); took > time.Second {
			t.Errorf("the model ran on for %v", took)
		}
		for _, f := range w.framesOf("a") {
			if f.Type != protocol.FrameStart && f.Type != protocol.FrameDelta {
				t.Errorf("posted %s", f.raw)
			}
		}
		if w.modelCalls() != 1 {
			t.Errorf("%d model calls", w.modelCalls())
		}
	})
}

// The model ends before the watcher has looked: only the terminal write tells
// that the request is another's.
//
// It guards rule 1 of docs/life.md.
func TestAttemptFencedAtItsEndIsNotAcknowledged(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		m := w.admit(nil)
		p := w.start()
		p.hook = func(operation string, after bool) error {
			if operation == "finish" && !after {
				w.update(m, func(r *life.Record) { r.Attempt, r.Owner = 2, "other" })
			}
			return nil
		}
		if p.handle(m) {
			t.Error("deleted by an attempt that lost its request")
		}
		if r := w.record(m); r.Status.Terminal() || w.settled[r.Key] != 0 {
			t.Errorf("record %+v, settled %d times", r, w.settled[r.Key])
		}
		frames := w.framesOf("a")
		if last := frames[len(frames)-1]; last.Type != protocol.FrameDelta {
			t.Errorf("posted %s", last.raw)
		}
	})
}

// The lease is due for renewal between the terminal write and its answer. The
// refused renewal once cut that write off, and the end came a delivery later.
func TestRenewalDoesNotDisturbTheEnd(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = func(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
			return model.Answer{StopReason: "end_turn", Usage: new(reported)}, say(ctx, write, 280)
		}
		m := w.admit(nil)
		p := w.start()
		begun, lost := time.Now(), false
		p.hook = func(operation string, after bool) error {
			if operation != "finish" || !after || lost {
				return nil
			}
			lost = true
			time.Sleep(time.Until(begun.Add(15200 * time.Millisecond)))
			return errBroken
		}
		if !p.handle(m) {
			t.Errorf("handed back:\n%s", w.logs.String())
		}
		if !lost || w.settled[w.record(m).Key] != 1 {
			t.Errorf("settled %d times", w.settled[w.record(m).Key])
		}
	})
}

// TestRequestDoesNotEndBeforeItsLogIsComplete guards rule 10 of docs/life.md.
func TestRequestDoesNotEndBeforeItsLogIsComplete(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		p := w.start()
		p.hook = func(operation string, _ bool) error {
			if operation == "chunk" {
				return errBroken
			}
			return nil
		}
		m := w.admit(nil)
		if p.handle(m) || w.record(m).Status.Terminal() {
			t.Errorf("ended without its log: %+v", w.record(m))
		}
		w.finish(m)
		assertSucceeded(t, w, m, 2)
	})
}

// TestHolderThatCannotRenewStopsBeforeItsLeaseEnds guards rule 6 of docs/life.md.
func TestHolderThatCannotRenewStopsBeforeItsLeaseEnds(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		var stopped time.Time
		w.onModel = func(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
			err := say(ctx, write, 2000)
			stopped = time.Now()
			return model.Answer{}, err
		}
		p := w.start()
		p.hook = func(operation string, _ bool) error {
			if operation == "renew" || operation == "release" {
				return errBroken
			}
			return nil
		}
		m := w.admit(nil)
		if p.handle(m) {
			t.Error("deleted")
		}
		if left := w.record(m).LeaseUntil.Sub(stopped); left < 4*time.Second || left > 6*time.Second {
			t.Errorf("stopped %v before the end of its lease", left)
		}
	})
}
