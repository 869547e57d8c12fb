package processor_test

import (
	"context"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// lasts is a model whose calls take so long, one after the other.
func lasts(durations ...time.Duration) func(context.Context, int, func(string)) (model.Answer, error) {
	return func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
		if err := say(ctx, write, int(durations[call-1]/(50*time.Millisecond))); err != nil {
			return model.Answer{}, err
		}
		return model.Answer{StopReason: "end_turn", Usage: new(reported)}, nil
	}
}

// A message that was done in a second once came back after 45 s if its batch still
// ran, and again if the next batch ran as long.
//
// It guards rule 1 of docs/life.md.
func TestFinishedMessageIsDeletedWhileItsBatchRuns(t *testing.T) {
	for name, fails := range map[string]bool{"deleted": false, "not deleted": true} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.onModel = lasts(time.Second, 200*time.Second)
				batch := []events.SQSMessage{w.admit(nil), w.admit(nil)}
				p := w.start()
				p.hook = func(operation string, _ bool) error {
					if operation == "delete" && fails {
						return errBroken
					}
					return nil
				}
				begun := time.Now()
				response, err := p.Handle(t.Context(), events.SQSEvent{Records: batch})
				if took := time.Since(begun); err != nil || took < 200*time.Second || len(response.BatchItemFailures) != 0 {
					t.Errorf("handled in %v: %+v, %v", took, response, err)
				}
				short, long := receipt(w.finished[0].Key), receipt(w.finished[1].Key)
				w.mu.Lock()
				deleted, early := w.deleted[short]
				_, late := w.deleted[long]
				w.mu.Unlock()
				if early == fails || !fails && deleted.Sub(begun) > 10*time.Second {
					t.Errorf("deleted %v, after %v", early, deleted.Sub(begun))
				}
				if late {
					t.Error("the last message of the batch was deleted twice")
				}
				for _, m := range batch {
					if r := w.record(m); r.Status != protocol.StatusSucceeded || r.Attempt != 1 || w.settled[r.Key] != 1 {
						t.Errorf("record %+v, settled %d times", r, w.settled[r.Key])
					}
				}
			})
		})
	}
}

// A message that must come back is not deleted, however long others run.
//
// It guards rule 1 of docs/life.md.
func TestMessageThatFailedIsNotDeletedWhileItsBatchRuns(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
			if call == 1 {
				_ = say(ctx, write, 3)
				return model.Answer{}, &model.Failure{Code: protocol.CodeModelError, Retryable: true, Err: errBroken}
			}
			return lasts(0, 20*time.Second)(ctx, call, write)
		}
		batch := []events.SQSMessage{w.admit(nil), w.admit(nil)}
		response, err := w.start().Handle(t.Context(), events.SQSEvent{Records: batch})
		if err != nil || len(response.BatchItemFailures) != 1 || len(w.deleted) != 0 {
			t.Errorf("%+v, %v, deleted %v", response, err, w.deleted)
		}
	})
}

// A message that waits for an attempt of another, be it a duplicate or that of an
// answer that was begun without the queue, is received every half minute. The
// queue allows ten receives, which such a message once used up in five minutes.
//
// It guards rule 7 of docs/life.md.
func TestMessageOutlastsTheAttemptThatItWaitsFor(t *testing.T) {
	for name, fails := range map[string]int{"sent": 0, "not sent at first": 2} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.onModel = lasts(890 * time.Second)
				m := w.admit(nil)
				done := make(chan bool)
				p, other := w.start(), w.start()
				other.hook = func(operation string, after bool) error {
					if operation == "send" && !after && fails > 0 {
						fails--
						return errBroken
					}
					return nil
				}
				go func() { done <- p.handleFor(900*time.Second, m) }()
				time.Sleep(time.Second)
				waiting, received, sent := m, 0, 0
				waiting.ReceiptHandle, waiting.Attributes = "duplicate", maps.Clone(m.Attributes)
				for {
					if received++; received > 10 {
						t.Fatal("a message used up its receives")
					}
					waiting.Attributes["ApproximateReceiveCount"] = strconv.Itoa(received)
					deleted := other.handle(waiting)
					if deleted && len(w.fresh) == sent {
						break
					}
					if deleted {
						waiting, received = w.fresh[sent], 0
						sent++
					}
					if back := w.comesBack(waiting); back > 40*time.Second && received <= 4 {
						t.Errorf("it stays away for %v: nobody would follow a dead owner in time", back)
					}
				}
				if !<-done || w.record(m).Attempt != 1 || w.modelCalls() != 1 {
					t.Errorf("record %+v after %d model calls", w.record(m), w.modelCalls())
				}
				if sent < 2 {
					t.Errorf("%d fresh messages", sent)
				}
			})
		})
	}
}

// Ten receives outlast a database that is away for a minute.
//
// It guards rule 7 of docs/life.md.
func TestOutageDoesNotUseUpTheReceives(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		m := w.admit(nil)
		begun := time.Now()
		for received := 1; ; received++ {
			if received > 10 {
				t.Fatalf("received %d times within %v", received, time.Since(begun))
			}
			m.Attributes["ApproximateReceiveCount"] = strconv.Itoa(received)
			p := w.start()
			p.hook = func(operation string, _ bool) error {
				if operation == "claim" && time.Since(begun) < time.Minute {
					return errBroken
				}
				return nil
			}
			if p.handle(m) {
				break
			}
			w.comesBack(m)
		}
		assertSucceeded(t, w, m, 1)
	})
}
