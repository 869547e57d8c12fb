package processor_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// think produces a hundred tokens of reasoning in five seconds.
func think(ctx context.Context, take func(model.Delta)) error {
	for range 100 {
		take(model.Delta{Kind: model.KindReasoning, Text: "hmm "})
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// A cancel while the model reasoned once cost the input only.
func TestCancelWhileTheModelReasonsIsCharged(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.produce = func(ctx context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
			return model.Answer{}, think(ctx, take)
		}
		m := w.admit(nil)
		go func() {
			time.Sleep(2 * time.Second)
			w.update(m, func(r *life.Record) { r.Cancel = true })
		}()
		if !w.start().handle(m) {
			t.Fatal("not deleted")
		}
		r := w.record(m)
		if r.Status != protocol.StatusCancelled || r.Usage == nil || !r.Usage.Estimated || r.Usage.InputTokens != 50 || r.Usage.OutputTokens < 40 || r.Usage.OutputTokens > 60 {
			t.Errorf("ended as %s with %+v, want about 50 tokens of output", r.Status, r.Usage)
		}
		if text := w.text(r); text != "" {
			t.Errorf("shown: %q", text)
		}
	})
}

// What the model does not report is estimated from all that it produced.
func TestReasoningIsCountedWhereTheModelReportsNothing(t *testing.T) {
	for name, usage := range map[string]*protocol.TokenUsage{"no report": nil, "zeros": {}} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.produce = func(ctx context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
					for range 30 {
						take(model.Delta{Kind: model.KindReasoning, Size: 4})
						take(model.Delta{Kind: model.KindToolUse, Size: 4})
					}
					take(model.Delta{Kind: model.KindText, Text: "word"})
					return model.Answer{StopReason: "end_turn", Usage: usage}, nil
				}
				m := w.admit(nil)
				w.finish(m)
				r := w.record(m)
				if want := (protocol.TokenUsage{InputTokens: 50, OutputTokens: 61, Estimated: true}); r.Usage == nil || *r.Usage != want {
					t.Errorf("charged %+v, want %+v", r.Usage, want)
				}
				if chunks := w.chunks[r.Owner]; len(chunks) != 1 || chunks[0].OutputTokens != 61 {
					t.Errorf("the log counts %+v, want 61 tokens", chunks)
				}
			})
		})
	}
}

// A call that failed before its first word is void, and so is its reasoning.
func TestAVoidCallIsNotCounted(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.produce = func(ctx context.Context, call int, take func(model.Delta)) (model.Answer, error) {
			take(model.Delta{Kind: model.KindReasoning, Size: 200})
			if call == 1 {
				return model.Answer{}, &model.Failure{Code: protocol.CodeModelError, Retryable: true, Err: errBroken}
			}
			take(model.Delta{Kind: model.KindText, Text: "word"})
			return model.Answer{StopReason: "end_turn"}, nil
		}
		m := w.admit(nil)
		w.finish(m)
		r := w.record(m)
		if want := (protocol.TokenUsage{InputTokens: 50, OutputTokens: 51, Estimated: true}); r.Attempt != 1 || w.modelCalls() != 2 || *r.Usage != want {
			t.Errorf("attempt %d, %d calls, charged %+v; want %+v", r.Attempt, w.modelCalls(), r.Usage, want)
		}
	})
}

// A piece that this version does not know ends nothing, and is told of once.
func TestUnknownPiecesAreCountedAndToldOfOnce(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.produce = func(_ context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
			take(model.Delta{Kind: "hologram", Size: 40})
			take(model.Delta{Kind: "hologram", Size: 40})
			take(model.Delta{Kind: model.KindText, Text: "word"})
			take(model.Delta{Kind: "smell"})
			return model.Answer{StopReason: "end_turn"}, nil
		}
		p := w.start()
		for range 2 {
			m := w.admit(nil)
			if !p.handle(m) {
				t.Fatal("not deleted")
			}
			if r := w.record(m); r.Status != protocol.StatusSucceeded || r.Usage.OutputTokens != 21 {
				t.Errorf("ended as %s with %+v", r.Status, r.Usage)
			}
		}
		for _, kind := range []string{"hologram", "smell"} {
			if n := strings.Count(w.logs.String(), `"kind":"`+kind+`"`); n != 1 {
				t.Errorf("%s is in %d lines of the log, want 1", kind, n)
			}
		}
		if n := strings.Count(w.logs.String(), `"UnknownDeltas":3`); n != 2 {
			t.Errorf("counted %d times 3 pieces, want 2", n)
		}
	})
}

// An answer without a word was once done, and charged.
func TestAnAnswerWithoutAWordIsAskedForOnceMore(t *testing.T) {
	for name, test := range map[string]struct {
		silences, calls int
		stop            string
		reasons, spent  bool
		want            protocol.Status
		charged         bool
	}{
		"once":                        {silences: 1, calls: 2, stop: "end_turn", want: protocol.StatusSucceeded, charged: true},
		"for ever":                    {silences: 9, calls: 2, stop: "end_turn", want: protocol.StatusFailed},
		"reasoning only":              {silences: 9, calls: 2, stop: "end_turn", reasons: true, want: protocol.StatusFailed},
		"no refund left":              {silences: 9, calls: 1, stop: "end_turn", spent: true, want: protocol.StatusFailed, charged: true},
		"a stop sequence at once":     {silences: 9, calls: 1, stop: "stop_sequence", want: protocol.StatusSucceeded, charged: true},
		"all spent on reasoning":      {silences: 9, calls: 1, stop: "max_tokens", reasons: true, want: protocol.StatusSucceeded, charged: true},
		"stopped by a guardrail":      {silences: 9, calls: 1, stop: "guardrail_intervened", want: protocol.StatusSucceeded, charged: true},
		"no room for a word of reply": {silences: 9, calls: 1, stop: "model_context_window_exceeded", want: protocol.StatusSucceeded, charged: true},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.produce = func(ctx context.Context, call int, take func(model.Delta)) (model.Answer, error) {
					if call > test.silences {
						return speak(ctx, call, func(text string) { take(model.Delta{Kind: model.KindText, Text: text}) })
					}
					if test.reasons {
						take(model.Delta{Kind: model.KindReasoning, Size: 40})
					}
					return model.Answer{StopReason: test.stop, Usage: new(reported)}, nil
				}
				m := w.admit(func(r *life.Record) { r.RefundsSpent = test.spent })
				w.finish(m)
				r := w.record(m)
				if r.Status != test.want || r.Attempt != 1 || w.modelCalls() != test.calls {
					t.Errorf("%s after %d attempts and %d calls, want %s after 1 and %d", r.Status, r.Attempt, w.modelCalls(), test.want, test.calls)
				}
				if failed := r.Status == protocol.StatusFailed; failed && (r.ErrorCode != protocol.CodeModelError || r.Final || r.StopReason != test.stop) {
					t.Errorf("ended as %+v", r)
				}
				if s := life.Settle(r); (s.Refund == 0) != test.charged || (s.Charge == 111) != test.charged || (r.Usage != nil) != test.charged || s.Unanswered != s.Refund {
					t.Errorf("settled as %+v with %+v, charged %v", s, r.Usage, test.charged)
				}
			})
		})
	}
}
