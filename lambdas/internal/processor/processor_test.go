package processor_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// simulate runs test with a fake clock.
func simulate(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		test(t, w)
		time.Sleep(time.Hour) // whatever a process left behind ends
		if logs := w.logs.String(); strings.Contains(logs, prompt) || strings.Contains(logs, "word word") {
			t.Errorf("a log holds a prompt or an answer: %s", logs)
		}
	})
}

func assertSucceeded(t *testing.T, w *world, m events.SQSMessage, attempt int) {
	t.Helper()
	r := w.record(m)
	if r.Status != protocol.StatusSucceeded || r.Attempt != attempt || r.StopReason != "end_turn" || r.Usage == nil || *r.Usage != reported {
		t.Errorf("record %+v", r)
	}
	if w.settled[r.Key] != 1 {
		t.Errorf("settled %d times", w.settled[r.Key])
	}
	if got := w.text(r); got != answerText {
		t.Errorf("the log holds %d bytes, want %d", len(got), len(answerText))
	}
}

// assertFollowed checks that a client that follows the contract on this socket
// has the whole answer.
func assertFollowed(t *testing.T, w *world, id string, r life.Record, text string) {
	t.Helper()
	var (
		attempt, last = 0, -1
		got           strings.Builder
		end           string
	)
	for _, f := range w.framesOf(id) {
		if f.RequestID != r.RequestID || f.Attempt < attempt {
			continue
		}
		if f.Attempt > attempt {
			attempt, last = f.Attempt, -1
			got.Reset()
		}
		switch {
		case *f.Seq == last+1 || (f.Type == protocol.FrameError && last == -1):
			last = *f.Seq
			got.WriteString(f.Text)
			if f.Type == protocol.FrameDone || f.Type == protocol.FrameError {
				end = f.raw
			}
		case *f.Seq > last:
			t.Fatalf("a gap before %s", f.raw)
		}
	}
	if want := string(life.EndFrame(r).Encode()); end != want {
		t.Errorf("ended with %s, want %s", end, want)
	}
	if got.String() != text {
		t.Errorf("the client has %q, want %q", got.String(), text)
	}
}

func TestRequestIsStreamedSettledAndTold(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.connect("a", "b")
		m := w.admit(nil)
		if !w.start().handle(m) {
			t.Fatal("the message was not deleted")
		}
		assertSucceeded(t, w, m, 1)
		assertFollowed(t, w, "a", w.record(m), answerText)
		assertFollowed(t, w, "b", w.record(m), answerText)
		if got := w.framesOf("a")[1]; got.at != w.claims[0] {
			t.Errorf("the first delta came %v after the claim", got.at.Sub(w.claims[0]))
		}
		if w.modelCalls() != 1 {
			t.Errorf("%d model calls", w.modelCalls())
		}
	})
}

func TestModelWithoutUsageIsEstimated(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = func(_ context.Context, _ int, write func(string)) (model.Answer, error) {
			write("12345")
			return model.Answer{StopReason: "end_turn"}, nil
		}
		m := w.admit(nil)
		w.start().handle(m)
		if got := w.record(m).Usage; got == nil || *got != (protocol.TokenUsage{InputTokens: 50, OutputTokens: 2, Estimated: true}) {
			t.Errorf("usage %+v", got)
		}
	})
}

// Rival defect (b): a batch serialises its users.
func TestDefectBRecordsOfABatchRunAtOnce(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		var batch events.SQSEvent
		for range 10 {
			batch.Records = append(batch.Records, w.admit(nil))
		}
		before := time.Now()
		response, err := w.start().Handle(t.Context(), batch)
		if err != nil || len(response.BatchItemFailures) != 0 {
			t.Fatalf("got %v, %v", response, err)
		}
		if took := time.Since(before); took > 6*time.Second {
			t.Errorf("ten answers of five seconds took %v", took)
		}
		for _, m := range batch.Records {
			assertSucceeded(t, w, m, 1)
			assertFollowed(t, w, "a", w.record(m), answerText)
		}
	})
}

// Rival defect (c): finished and billed work is replayed after one bad record.
func TestDefectCBadRecordFailsAlone(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		batch := []events.SQSMessage{w.admit(nil), w.admit(nil), {MessageId: "unreadable", ReceiptHandle: "unreadable", Body: "{"}}
		p := w.start()
		var panicked atomic.Bool
		p.hook = func(operation string, _ bool) error {
			if operation == "input" && panicked.CompareAndSwap(false, true) {
				panic("in one of the records")
			}
			return nil
		}
		response, err := p.Handle(t.Context(), events.SQSEvent{Records: batch})
		if err != nil || len(response.BatchItemFailures) != 1 {
			t.Fatalf("got %v, %v, want one failure", response, err)
		}
		for _, m := range batch[:2] {
			if m.MessageId == response.BatchItemFailures[0].ItemIdentifier {
				w.finish(m)
				assertSucceeded(t, w, m, 2)
			} else {
				assertSucceeded(t, w, m, 1)
			}
		}
		if w.modelCalls() != 2 {
			t.Errorf("%d model calls", w.modelCalls())
		}
	})
}

func TestUnreadableMessagesAreDropped(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		for _, body := range []string{"", "hello", "{}", `{"v":2,"userId":"u","requestId":"x"}`} {
			if !w.start().handle(events.SQSMessage{MessageId: "m", ReceiptHandle: "r", Body: body}) {
				t.Errorf("%q was not deleted", body)
			}
		}
	})
}

// TestMessageWithoutARecord guards rule 1 of docs/life.md.
func TestMessageWithoutARecord(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		m := w.message(life.Key{UserID: "user", RequestID: life.NewRequestID()})
		if w.start().handle(m) {
			t.Error("deleted, although the record may still come")
		}
		if took := w.comesBack(m); took != time.Minute {
			t.Errorf("comes back after %v", took)
		}
		time.Sleep(4*time.Minute + time.Second)
		if !w.start().handle(m) {
			t.Error("not deleted after five minutes")
		}
	})
}

// TestEveryDeliveryOfAnEndedRequestSettlesAndTells guards rule 2 of docs/life.md.
func TestEveryDeliveryOfAnEndedRequestSettlesAndTells(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		m := w.admit(func(r *life.Record) {
			r.Status, r.Attempt, r.EndSeq, r.ErrorCode = protocol.StatusFailed, 2, 7, protocol.CodeModelError
		})
		for range 2 {
			if !w.start().handle(m) {
				t.Error("not deleted")
			}
		}
		r := w.record(m)
		if got := w.framesOf("a"); len(got) != 2 || got[0].raw != string(life.EndFrame(r).Encode()) || w.settled[r.Key] != 1 {
			t.Errorf("posted %v, settled %d times", got, w.settled[r.Key])
		}
	})
}

// TestLiveLeaseHandsTheMessageBack guards rule 1 of docs/life.md.
func TestLiveLeaseHandsTheMessageBack(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		m := w.admit(func(r *life.Record) {
			r.Status, r.Attempt, r.Owner, r.LeaseUntil = protocol.StatusStreaming, 1, "other", time.Now().Add(20*time.Second)
		})
		if w.start().handle(m) {
			t.Fatal("deleted the only message of a running attempt")
		}
		if took := w.comesBack(m); took != 25*time.Second {
			t.Errorf("comes back after %v, want the lease and the skew", took)
		}
		w.finish(m)
		assertSucceeded(t, w, m, 2)
	})
}

func TestRequestsThatAreNotRun(t *testing.T) {
	tests := []struct {
		name   string
		change func(*life.Record)
		want   protocol.Code
	}{
		{"expired", func(r *life.Record) { r.CreatedAt = r.CreatedAt.Add(-time.Hour) }, protocol.CodeExpired},
		{"cancelled between attempts", func(r *life.Record) { r.Cancel, r.Attempt = true, 1 }, protocol.CodeCancelled},
		{"attempts used up", func(r *life.Record) { r.Attempt = life.AttemptCap }, protocol.CodeDeadLettered},
		{"cancelled, then its process died", func(r *life.Record) {
			r.Cancel, r.Attempt, r.Status, r.LeaseUntil = true, 1, protocol.StatusStreaming, time.Now().Add(-time.Minute)
		}, protocol.CodeCancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				m := w.admit(tt.change)
				attempts := w.record(m).Attempt
				if !w.start().handle(m) {
					t.Fatal("not deleted")
				}
				r := w.record(m)
				if r.ErrorCode != tt.want || r.Attempt != attempts+1 || w.settled[r.Key] != 1 || w.modelCalls() != 0 {
					t.Errorf("record %+v after %d model calls", r, w.modelCalls())
				}
				assertFollowed(t, w, "a", r, "")
			})
		})
	}
}

func TestCancelEndsAStreamWithinASecond(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		m := w.admit(nil)
		var asked time.Time
		time.AfterFunc(2100*time.Millisecond, func() {
			asked = time.Now()
			w.update(m, func(r *life.Record) { r.Cancel = true })
		})
		if !w.start().handle(m) {
			t.Fatal("not deleted")
		}
		if took := time.Since(asked); took > time.Second {
			t.Errorf("took %v", took)
		}
		r := w.record(m)
		text := w.text(r)
		want := protocol.TokenUsage{InputTokens: 50, OutputTokens: int64(len(text)+3) / 4, Estimated: true}
		if r.Status != protocol.StatusCancelled || r.ErrorCode != protocol.CodeCancelled || r.Usage == nil || *r.Usage != want {
			t.Errorf("record %+v, usage %+v, want %+v", r, r.Usage, want)
		}
		assertFollowed(t, w, "a", r, text)
	})
}

func TestRequestThatNobodyListensTo(t *testing.T) {
	long := func(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
		if err := say(ctx, write, 2000); err != nil {
			return model.Answer{}, err
		}
		return model.Answer{StopReason: "end_turn", Usage: new(reported)}, nil
	}
	for _, cancels := range []bool{true, false} {
		t.Run(fmt.Sprintf("cancels %v", cancels), func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.onModel, w.deserter = long, cancels
				m := w.admit(nil)
				begun := time.Now()
				time.AfterFunc(10*time.Second, func() { w.connect() })
				p := w.start()
				p.hook = func(operation string, _ bool) error {
					if operation == "post" && time.Since(begun) > 10*time.Second {
						return relay.ErrGone
					}
					return nil
				}
				if !p.handle(m) {
					t.Fatal("not deleted")
				}
				took, status := time.Since(begun), w.record(m).Status
				if cancels && (status != protocol.StatusCancelled || took > 43*time.Second) {
					t.Errorf("%s after %v", status, took)
				}
				if !cancels && status != protocol.StatusSucceeded {
					t.Errorf("%s after %v", status, took)
				}
			})
		})
	}
}
