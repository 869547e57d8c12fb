package processor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// endless is a model that never stops: twenty words a second.
func endless(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
	return model.Answer{}, say(ctx, write, 1_000_000)
}

// long is a request whose answer may be as long as any.
func long(r *life.Record) { r.Model.MaxTokens, r.Estimate = 128_000, 128_050 }

// handleFor processes a message in an invocation that ends after timeout.
func (p *process) handleFor(timeout time.Duration, m events.SQSMessage) bool {
	ctx, cancel := context.WithTimeout(p.t.Context(), timeout)
	defer cancel()
	return p.handleUntil(ctx, m)
}

// assertCut checks that the request ended at a deadline, with its text, and that
// what the model produced is charged, once.
func assertCut(t *testing.T, w *world, m events.SQSMessage, attempt int) {
	t.Helper()
	r := w.record(m)
	text := w.text(r)
	if r.Status != protocol.StatusSucceeded || r.StopReason != "deadline" || r.Attempt != attempt || w.settled[r.Key] != 1 {
		t.Errorf("record %+v, settled %d times", r, w.settled[r.Key])
	}
	want := protocol.TokenUsage{InputTokens: 50, OutputTokens: int64(len(text)+3) / 4, Estimated: true}
	if r.Usage == nil || *r.Usage != want {
		t.Errorf("usage %+v, want %+v", r.Usage, want)
	}
	if s := life.Settle(r); s.Refund != 0 || s.Charge != want.InputTokens+want.OutputTokens {
		t.Errorf("settlement %+v", s)
	}
	if text == "" || strings.Trim(text, "word ") != "" {
		t.Errorf("text %q", text)
	}
	assertFollowed(t, w, "a", r, text)
	if end := life.EndFrame(r); end.Type != protocol.FrameDone || end.StopReason != protocol.StopReasonDeadline {
		t.Errorf("ends with %s", end.Encode())
	}
}

// An endless answer once ran into the deadline four times and was then refunded.
//
// It guards rule 14 of docs/life.md.
func TestDeadlineEndsAnAnswer(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = endless
		m := w.admit(long)
		begun := time.Now()
		if !w.start().handleFor(5*time.Minute, m) {
			t.Errorf("handed back: %+v", w.record(m))
		}
		if took := time.Since(begun); took < 295*time.Second || took > 296*time.Second {
			t.Errorf("ended after %v", took)
		}
		if w.modelCalls() != 1 {
			t.Errorf("%d model calls", w.modelCalls())
		}
		assertCut(t, w, m, 1)
	})
}

// What a model reports is charged, even of an answer that was cut.
func TestReportedUsageOfAnAnswerThatWasCut(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = func(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
			err := say(ctx, write, 1_000_000)
			return model.Answer{Usage: new(reported)}, err
		}
		m := w.admit(long)
		if !w.start().handleFor(10*time.Second, m) {
			t.Error("handed back")
		}
		if r := w.record(m); r.Usage == nil || *r.Usage != reported || r.StopReason != protocol.StopReasonDeadline {
			t.Errorf("record %+v", r)
		}
	})
}

// A model that only reasons produces what must be paid, too.
func TestDeadlineEndsAnAnswerThatIsAllReasoning(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.produce = func(ctx context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
			for {
				if err := think(ctx, take); err != nil {
					return model.Answer{}, err
				}
			}
		}
		m := w.admit(long)
		if !w.start().handleFor(10*time.Second, m) {
			t.Error("handed back")
		}
		r := w.record(m)
		if r.StopReason != protocol.StopReasonDeadline || w.text(r) != "" || w.modelCalls() != 1 {
			t.Errorf("record %+v after %d model calls", r, w.modelCalls())
		}
		if s := life.Settle(r); s.Refund != 0 || s.Charge < r.InputEstimate()+40 {
			t.Errorf("settlement %+v", s)
		}
	})
}

// A model that has said nothing by the deadline gets another attempt.
//
// It guards rules 6 and 14 of docs/life.md.
func TestDeadlineHandsASilentRequestBack(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
			if call == 1 {
				<-ctx.Done()
				return model.Answer{}, context.Cause(ctx)
			}
			return speak(ctx, call, write)
		}
		m := w.admit(long)
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

// The deadline comes at every moment of a life whose every call takes a while,
// with models that fail, fall silent or never stop. Whatever an attempt has
// produced by then is charged, and nothing is produced twice.
//
// It guards rule 14 of docs/life.md.
func TestDeadlineAtEveryMoment(t *testing.T) {
	t.Parallel()
	models := map[string]func(context.Context, int, func(string)) (model.Answer, error){
		"never stops": endless,
		"speaks late": func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
			select {
			case <-time.After(700 * time.Millisecond):
			case <-ctx.Done():
				return model.Answer{}, context.Cause(ctx)
			}
			return endless(ctx, call, write)
		},
		"throttles first": func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
			if call == 1 {
				return model.Answer{}, &model.Failure{Code: protocol.CodeModelThrottled, Retryable: true, Err: errBroken}
			}
			return endless(ctx, call, write)
		},
		"ends in time": speak,
	}
	for name, says := range models {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outcomes := map[string]int{}
			for left := time.Duration(0); left < 6*time.Second; left += 30 * time.Millisecond {
				synctest.Test(t, func(t *testing.T) { outcomes[deadlineAfter(t, says, left)]++ })
			}
			if outcomes["not claimed"] == 0 || outcomes["handed back"] == 0 || outcomes["cut"] == 0 {
				t.Errorf("outcomes %v", outcomes)
			}
			if name == "ends in time" && outcomes["succeeded"] == 0 {
				t.Errorf("outcomes %v", outcomes)
			}
		})
	}
}

// deadlineAfter handles a request in an invocation that has so long before it
// must close, and says what became of it.
func deadlineAfter(t *testing.T, says func(context.Context, int, func(string)) (model.Answer, error), left time.Duration) string {
	t.Helper()
	w := newWorld(t)
	defer time.Sleep(time.Hour) // whatever a process left behind ends
	produced := 0
	w.onModel = func(ctx context.Context, call int, write func(string)) (model.Answer, error) {
		return says(ctx, call, func(text string) {
			produced += len(text)
			write(text)
		})
	}
	m := w.admit(long)
	p := w.start()
	p.hook = func(operation string, after bool) error {
		if !after && operation != "model" {
			time.Sleep(40 * time.Millisecond)
		}
		return nil
	}
	deleted := p.handleFor(environment.ClosingTime+left, m)
	r := w.record(m)
	where := fmt.Sprintf("%v before it closes: %+v after %d bytes", left, r, produced)
	switch {
	case r.Attempt == 0 && !deleted && produced == 0:
		return "not claimed"
	case r.Status == protocol.StatusQueued && !deleted && produced == 0:
		return "handed back"
	case r.StopReason == "end_turn" && deleted:
		return "succeeded"
	case r.StopReason == protocol.StopReasonDeadline && deleted:
		assertCut(t, w, m, 1)
		if text := w.text(r); len(text) != produced {
			t.Errorf("%s: kept %d bytes", where, len(text))
		}
		return "cut"
	}
	t.Error(where)
	return "wrong"
}

// A user who listens slowly, or whose sockets are gone, pays like any other: the
// end is settled before it is told.
func TestCutAnswerOfASlowListenerIsCharged(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.onModel = endless
		m := w.admit(long)
		p := w.start()
		p.hook = func(operation string, after bool) error {
			if operation == "post" && !after {
				time.Sleep(9 * time.Second)
				return errors.New("slow")
			}
			return nil
		}
		p.handleFor(20*time.Second, m)
		if r := w.record(m); r.StopReason != protocol.StopReasonDeadline || w.settled[r.Key] != 1 {
			t.Errorf("record %+v, settled %d times", r, w.settled[r.Key])
		}
	})
}
