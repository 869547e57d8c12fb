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

func TestModelFailures(t *testing.T) {
	fail := func(code protocol.Code, retryable bool) error {
		return &model.Failure{Code: code, Retryable: retryable, Err: errBroken}
	}
	always := func(err error, words int) func(context.Context, int, func(string)) (model.Answer, error) {
		return func(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
			if words > 0 {
				_ = say(ctx, write, words)
			}
			return model.Answer{}, err
		}
	}
	times := func(n int, err error, words int) func(context.Context, int, func(string)) (model.Answer, error) {
		return func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
			if call > n {
				return speak(ctx, call, write)
			}
			return always(err, words)(ctx, call, write)
		}
	}
	tests := []struct {
		name        string
		model       func(context.Context, int, func(string)) (model.Answer, error)
		wantCode    protocol.Code // "": success
		wantAttempt int
		wantCalls   int
	}{
		{"throttled twice before the first word", times(2, fail(protocol.CodeModelThrottled, true), 0), "", 1, 3},
		{"throttled for ever", always(fail(protocol.CodeModelThrottled, true), 0), protocol.CodeModelThrottled, 1, 4},
		{"refused", always(fail(protocol.CodeModelError, false), 0), protocol.CodeModelError, 1, 1},
		{"hopeless", always(&model.Failure{Code: protocol.CodeModelError, Final: true, Err: errBroken}, 0), protocol.CodeModelError, 1, 1},
		{"refused after words", always(fail(protocol.CodeModelError, false), 9), protocol.CodeModelError, 1, 1},
		{"broken off once", times(1, fail(protocol.CodeModelError, true), 9), "", 2, 2},
		{"broken off for ever", always(fail(protocol.CodeModelTimeout, true), 9), protocol.CodeModelTimeout, 4, 4},
		{"throttled once, then broken off for ever", func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
			if call == 1 {
				return model.Answer{}, fail(protocol.CodeModelThrottled, true)
			}
			return always(fail(protocol.CodeModelTimeout, true), 9)(ctx, call, write)
		}, protocol.CodeModelTimeout, 3, 4},
		{"panics once", func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
			if call == 1 {
				panic("in the adapter")
			}
			return speak(ctx, call, write)
		}, "", 1, 2},
		{"content filtered", func(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
			_ = say(ctx, write, 9)
			return model.Answer{StopReason: "content_filtered", Usage: new(reported)}, fail(protocol.CodeContentFiltered, false)
		}, protocol.CodeContentFiltered, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.onModel = tt.model
				m := w.admit(nil)
				w.finish(m)
				r := w.record(m)
				if r.Attempt != tt.wantAttempt || w.modelCalls() != tt.wantCalls || w.settled[r.Key] != 1 {
					t.Errorf("attempt %d after %d calls, want %d after %d", r.Attempt, w.modelCalls(), tt.wantAttempt, tt.wantCalls)
				}
				if tt.wantCode == "" {
					assertSucceeded(t, w, m, tt.wantAttempt)
					assertFollowed(t, w, "a", r, answerText)
					return
				}
				if r.Status != protocol.StatusFailed || r.ErrorCode != tt.wantCode {
					t.Errorf("record %+v", r)
				}
				if final := tt.name == "hopeless"; final != r.Final {
					t.Errorf("final %v", r.Final)
				}
				if filtered := tt.wantCode == protocol.CodeContentFiltered; filtered != (r.Usage != nil) {
					t.Errorf("usage %+v", r.Usage)
				}
				assertFollowed(t, w, "a", r, w.text(r))
			})
		})
	}
}

// X-Ray links the trace of an attempt to that of the admission; the logs name the
// latter, so that one search finds both.
func TestLogsNameTheTraceOfTheAdmission(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = func(context.Context, int, func(string)) (model.Answer, error) {
			return model.Answer{}, &model.Failure{Code: protocol.CodeModelError, Err: errBroken}
		}
		m := w.admit(nil)
		m.Attributes["AWSTraceHeader"] = "Root=1-69270000-0123456789abcdef01234567"
		w.start().handle(m)
		if !strings.Contains(w.logs.String(), `"trace":"Root=1-69270000-0123456789abcdef01234567"`) {
			t.Errorf("logs %s", w.logs.String())
		}
	})
}

func TestInputThatIsGoneFailsTheRequest(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.absent = true
		m := w.admit(nil)
		if !w.start().handle(m) {
			t.Fatal("not deleted")
		}
		if r := w.record(m); r.Status != protocol.StatusFailed || r.ErrorCode != protocol.CodeInternal || w.modelCalls() != 0 {
			t.Errorf("record %+v", r)
		}
	})
}

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

// TestDeadlineHandsTheRequestBack guards rule 6 of docs/life.md.
func TestDeadlineHandsTheRequestBack(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		m := w.admit(nil)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		time.Sleep(time.Second)
		begun := time.Now()
		if w.start().handleUntil(ctx, m) {
			t.Fatal("deleted")
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("handed back after %v", took)
		}
		if r := w.record(m); r.Status != protocol.StatusQueued {
			t.Errorf("record %+v", r)
		}
		if w.start().handleUntil(ctx, m) || w.record(m).Attempt != 1 {
			t.Error("claimed with no time left")
		}
		w.finish(m)
		assertSucceeded(t, w, m, 2)
		assertFollowed(t, w, "a", w.record(m), answerText)
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
		m := w.admit(nil)
		p := w.start()
		begun, lost := time.Now(), false
		p.hook = func(operation string, after bool) error {
			if operation != "finish" || !after || lost {
				return nil
			}
			lost = true
			time.Sleep(time.Until(begun.Add(10200 * time.Millisecond)))
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
