package processor_test

import (
	"context"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

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
