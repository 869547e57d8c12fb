package processor_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// useTool reasons and uses a tool.
func useTool(_ context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
	take(model.Delta{Kind: model.KindReasoning, Text: "I must look."})
	take(model.Delta{Kind: model.KindReasoning, Signature: "c2ln"})
	take(model.Delta{Kind: model.KindToolUse, Size: 7})
	take(model.Delta{Kind: model.KindToolUse, Size: 13})
	take(model.Delta{Kind: model.KindToolUse, ToolUse: &model.ToolUse{ID: "t1", Name: "weather", Input: json.RawMessage(`{"city":"Rom"}`)}})
	return model.Answer{StopReason: protocol.StopReasonToolUse, Usage: new(reported)}, nil
}

// followed is what a socket was told of a request, as its client has it.
func followed(w *world, socket, requestID string) *protocol.Assembler {
	var a protocol.Assembler
	for _, f := range w.framesOf(socket) {
		if f.RequestID == requestID {
			a.Apply(f.Frame)
		}
	}
	return &a
}

// An answer without a word of text is an answer if it uses a tool.
func TestToolUse(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.produce = useTool
		m := w.admit(nil)
		w.finish(m)
		r := w.record(m)
		if r.Status != protocol.StatusSucceeded || r.StopReason != "tool_use" || w.modelCalls() != 1 {
			t.Fatalf("record %+v after %d calls", r, w.modelCalls())
		}
		want := []protocol.Block{
			{Type: protocol.BlockReasoning, Text: "I must look.", Signature: "c2ln"},
			{Type: protocol.BlockToolUse, ToolUseID: "t1", Name: "weather", Input: json.RawMessage(`{"city":"Rom"}`)},
		}
		if got := followed(w, "a", r.RequestID); !reflect.DeepEqual(got.Content(), want) || got.End() == nil {
			t.Errorf("the socket has %+v and the end %+v", got.Content(), got.End())
		}
		if got := life.State(r, w.chunks[r.Owner]).Content; !reflect.DeepEqual(got, want) {
			t.Errorf("GET has %+v", got)
		}
		if chunks := w.chunks[r.Owner]; chunks[len(chunks)-1].OutputTokens != 9 {
			t.Errorf("the log counts %d tokens, want 9 for 36 bytes", chunks[len(chunks)-1].OutputTokens)
		}
	})
}

// Reasoning that was shown belongs to its attempt: what comes after a failure, or
// after an end without a word, would stand behind it.
func TestShownReasoningIsVoidedByAnotherAttempt(t *testing.T) {
	for name, failure := range map[string]error{
		"failure": &model.Failure{Code: protocol.CodeModelError, Retryable: true, Err: errBroken},
		"silence": nil,
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.produce = func(ctx context.Context, call int, take func(model.Delta)) (model.Answer, error) {
					if call > 1 {
						return useTool(ctx, call, take)
					}
					take(model.Delta{Kind: model.KindReasoning, Text: "Void."})
					return model.Answer{StopReason: "end_turn"}, failure
				}
				m := w.admit(nil)
				w.finish(m)
				r := w.record(m)
				got := followed(w, "a", r.RequestID)
				if r.Status != protocol.StatusSucceeded || r.Attempt != 2 || w.modelCalls() != 2 || got.Reasoning() != "I must look." {
					t.Errorf("attempt %d after %d calls, reasoning %q", r.Attempt, w.modelCalls(), got.Reasoning())
				}
			})
		})
	}
}

// Who only ever reasons is asked twice, not four times.
func TestSilenceAfterReasoningIsBounded(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.produce = func(_ context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
			take(model.Delta{Kind: model.KindReasoning, Text: "Hm."})
			return model.Answer{StopReason: "end_turn"}, nil
		}
		m := w.admit(nil)
		w.finish(m)
		if r := w.record(m); r.Status != protocol.StatusFailed || r.ErrorCode != protocol.CodeModelError || w.modelCalls() != 2 {
			t.Errorf("record %+v after %d calls", r, w.modelCalls())
		}
	})
}

// An attempt that is cancelled in the middle of a use of a tool shows no half of
// it, and counts it.
func TestCancelWithinAUseOfATool(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.produce = func(ctx context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
			take(model.Delta{Kind: model.KindText, Text: "Let me look."})
			for {
				take(model.Delta{Kind: model.KindToolUse, Size: 4})
				select {
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
					return model.Answer{}, context.Cause(ctx)
				}
			}
		}
		m := w.admit(nil)
		go func() {
			time.Sleep(2 * time.Second)
			w.update(m, func(r *life.Record) { r.Cancel = true })
		}()
		w.finish(m)
		r := w.record(m)
		if got := followed(w, "a", r.RequestID); r.Status != protocol.StatusCancelled || len(got.Content()) != 1 || r.Usage.OutputTokens < 40 || r.Usage.OutputTokens > 60 {
			t.Errorf("ended as %s with %+v and %+v", r.Status, r.Usage, got.Content())
		}
	})
}

func TestUploadsAreFetched(t *testing.T) {
	photo := protocol.Block{Type: protocol.BlockImage, Format: "png", UploadID: "photo"}
	for name, test := range map[string]struct {
		content []protocol.Block
		uploads map[string][]byte
		found   bool
	}{
		"there":       {[]protocol.Block{protocol.TextBlock(prompt), photo}, map[string][]byte{"photo": []byte("png")}, true},
		"in a result": {[]protocol.Block{{Type: protocol.BlockToolResult, ToolUseID: "t", Content: []protocol.Block{photo}}}, map[string][]byte{"photo": []byte("png")}, true},
		"gone":        {[]protocol.Block{photo}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.content, w.uploads, w.uploadBytes = test.content, test.uploads, 3
				m := w.admit(nil)
				w.finish(m)
				r := w.record(m)
				if !test.found {
					if r.Status != protocol.StatusFailed || r.ErrorCode != protocol.CodeUploadNotFound || *life.EndFrame(r).Retryable || w.modelCalls() != 0 {
						t.Errorf("record %+v", r)
					}
					return
				}
				if r.Status != protocol.StatusSucceeded || !strings.Contains(w.asked, `"data":"cG5n"`) {
					t.Errorf("ended as %s; asked %s", r.Status, w.asked)
				}
			})
		})
	}
}

// Ten requests with as many documents as there may be once had all of them in
// memory together, which ends a process and with it the answers of others. What
// counts is how large they are, and only until the model has read them.
func TestUploadsOfABatchShareItsMemory(t *testing.T) {
	for name, test := range map[string]struct {
		bytes  int64 // of each request
		atOnce int32
		took   time.Duration
	}{
		"large": {protocol.MaxMediaBytes, 2, 30 * time.Second}, // each 10 s to be read, and 10 s to be answered
		"small": {1_000_000, 4, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(t *testing.T, w *world) {
				w.content = []protocol.Block{protocol.TextBlock(prompt)}
				w.uploads, w.uploadBytes = map[string][]byte{"thesis": []byte("pdf")}, test.bytes
				for range protocol.MaxDocuments {
					w.content = append(w.content, protocol.Block{Type: protocol.BlockDocument, Format: "pdf", Name: "a", UploadID: "thesis"})
				}
				var reading counter
				w.produce = func(_ context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
					reading.while(10 * time.Second)
					take(model.Delta{Kind: model.KindText, Text: "a word"})
					time.Sleep(10 * time.Second)
					return model.Answer{StopReason: "end_turn", Usage: new(reported)}, nil
				}
				batch := []events.SQSMessage{w.admit(nil), w.admit(nil), w.admit(nil), w.admit(nil)}
				begun := time.Now()
				if response, err := w.start().Handle(t.Context(), events.SQSEvent{Records: batch}); err != nil || len(response.BatchItemFailures) != 0 {
					t.Errorf("%+v, %v", response, err)
				}
				if took := time.Since(begun); reading.most.Load() != test.atOnce || took < test.took || took > test.took+5*time.Second {
					t.Errorf("at most %d were read at once, all in %v", reading.most.Load(), took)
				}
				for _, m := range batch {
					if r := w.record(m); r.Status != protocol.StatusSucceeded || r.Attempt != 1 {
						t.Errorf("record %+v", r)
					}
				}
			})
		})
	}
}

// counter knows how many there were at once.
type counter struct{ now, most atomic.Int32 }

func (c *counter) while(d time.Duration) {
	c.most.Store(max(c.most.Load(), c.now.Add(1)))
	defer c.now.Add(-1)
	time.Sleep(d)
}

// A call that the model refuses may be followed by another, which has the bytes,
// too.
func TestUploadsAreFetchedForEachCall(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.content = []protocol.Block{protocol.TextBlock(prompt), {Type: protocol.BlockImage, Format: "png", UploadID: "photo"}}
		w.uploads, w.uploadBytes = map[string][]byte{"photo": []byte("png")}, 3
		w.produce = func(ctx context.Context, call int, take func(model.Delta)) (model.Answer, error) {
			if !strings.Contains(w.asked, `"data":"cG5n"`) {
				t.Errorf("call %d has %s", call, w.asked)
			}
			if call == 1 {
				return model.Answer{}, &model.Failure{Code: protocol.CodeModelThrottled, Retryable: true, Err: errBroken}
			}
			return useTool(ctx, call, take)
		}
		m := w.admit(nil)
		w.finish(m)
		if r := w.record(m); r.Status != protocol.StatusSucceeded || r.Attempt != 1 || w.modelCalls() != 2 {
			t.Errorf("record %+v after %d calls", r, w.modelCalls())
		}
	})
}

// What has gone after the admission fails the request at once, also when a call
// was made before: nobody tries again what cannot succeed.
func TestAnUploadThatGoesBetweenTwoCalls(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.content = []protocol.Block{protocol.TextBlock(prompt), {Type: protocol.BlockImage, Format: "png", UploadID: "photo"}}
		w.uploads, w.uploadBytes = map[string][]byte{"photo": []byte("png")}, 3
		w.produce = func(_ context.Context, _ int, take func(model.Delta)) (model.Answer, error) {
			w.mu.Lock()
			w.uploads = nil
			w.mu.Unlock()
			take(model.Delta{Kind: model.KindText, Text: "It is "})
			return model.Answer{}, &model.Failure{Code: protocol.CodeModelError, Retryable: true, Err: errBroken}
		}
		m := w.admit(nil)
		w.finish(m)
		if r := w.record(m); r.Status != protocol.StatusFailed || r.ErrorCode != protocol.CodeUploadNotFound || r.Attempt != 2 || w.modelCalls() != 1 || w.settled[r.Key] != 1 {
			t.Errorf("record %+v after %d calls", r, w.modelCalls())
		}
	})
}

// What a user says, sees and is told to run is nobody's business.
func TestBlocksAreNotLogged(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.content = []protocol.Block{protocol.TextBlock(prompt), {Type: protocol.BlockImage, Format: "png", Data: []byte("secret image")}}
		w.produce = func(ctx context.Context, call int, take func(model.Delta)) (model.Answer, error) {
			take(model.Delta{Kind: "novelty", Text: "secret novelty", Size: 4})
			if call == 1 {
				return model.Answer{}, &model.Failure{Code: protocol.CodeModelError, Retryable: true, Err: errBroken}
			}
			return useTool(ctx, call, take)
		}
		w.finish(w.admit(nil))
		for _, secret := range []string{"secret", "must look", "weather", "Rom", "c2ln"} {
			if strings.Contains(w.logs.String(), secret) {
				t.Errorf("the logs hold %q: %s", secret, w.logs.String())
			}
		}
	})
}

// Silences cost nothing, so a prompt must not bring about more than two of them,
// whichever of them reasons.
func TestSilencesOfTwoKindsAreBounded(t *testing.T) {
	simulate(t, func(t *testing.T, w *world) {
		w.produce = func(_ context.Context, call int, take func(model.Delta)) (model.Answer, error) {
			if call == 1 {
				take(model.Delta{Kind: model.KindReasoning, Text: "Hm."})
			}
			return model.Answer{StopReason: "end_turn"}, nil
		}
		m := w.admit(nil)
		w.finish(m)
		if r := w.record(m); r.Status != protocol.StatusFailed || w.modelCalls() != 2 {
			t.Errorf("record %+v after %d calls", r, w.modelCalls())
		}
	})
}
