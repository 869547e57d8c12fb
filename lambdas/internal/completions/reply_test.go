package completions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/protocol"
)

func begunReply(streamed bool) *reply {
	record := life.Record{Key: life.Key{UserID: "u", RequestID: "r"}, CreatedAt: time.Unix(7, 0), Model: life.ModelParameters{ModelID: "m"}}
	return newReply(openai.Request{Stream: streamed}, admission.Admitted{Record: record}, time.Now())
}

// said is a piece of an answer.
func said(text string) model.Delta { return model.Delta{Kind: model.KindText, Text: text} }

var succeeded = life.Record{Status: protocol.StatusSucceeded, Attempt: 1, EndSeq: 2, StopReason: "end_turn"}

// A model that thinks for long must not look like a dead connection.
func TestSlowModelIsHeardOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		r := begunReply(true)
		go func() {
			time.Sleep(50 * time.Second)
			r.take(said("at last"))
			r.end(succeeded)
			r.close()
		}()
		response := r.response()
		if waited := time.Since(begun); waited != 15*time.Second || response.StatusCode != 200 {
			t.Errorf("status %d after %v", response.StatusCode, waited)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || strings.Count(string(body), openai.Heartbeat) != 2 || !strings.HasSuffix(string(body), openai.Done) {
			t.Errorf("%v in %s", err, body)
		}
	})
}

func TestSlowAnswerInOnePiece(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*reply){
		"well":   func(r *reply) { r.end(succeeded) },
		"failed": func(r *reply) { r.fail(openai.AsError(errors.New("broken"))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := begunReply(false)
				go func() {
					r.take(said("long"))
					time.Sleep(5 * time.Minute)
					end(r)
					r.close()
				}()
				begun := time.Now()
				response := r.response()
				if waited := time.Since(begun); waited != 4*time.Minute || response.StatusCode != 200 {
					t.Errorf("status %d after %v", response.StatusCode, waited)
				}
				body, err := io.ReadAll(response.Body)
				text := strings.TrimLeft(string(body), " ")
				switch {
				case len(body)-len(text) < 3:
					t.Errorf("nothing was heard for a minute: %q", body)
				case name == "well" && (err != nil || !strings.Contains(text, `"content":"long"`)):
					t.Errorf("%v in %s", err, body)
				case name == "failed" && (err == nil || text != ""):
					t.Errorf("a body that is cut short looks whole: %s", body)
				}
			})
		})
	}
}

// What was shown is not taken back.
func TestBeginAgain(t *testing.T) {
	t.Parallel()
	whole := begunReply(false)
	whole.take(said("one"))
	if !whole.beginAgain() {
		t.Error("nobody has read an answer in one piece")
	}
	whole.take(said("two"))
	whole.end(succeeded)
	whole.close()
	if body, _ := io.ReadAll(whole.response().Body); !strings.Contains(string(body), `"content":"two"`) {
		t.Errorf("body %s", body)
	}
	streamed := begunReply(true)
	if !streamed.beginAgain() {
		t.Error("nothing was shown yet")
	}
	streamed.take(said("one"))
	if streamed.beginAgain() {
		t.Error("what was shown cannot be taken back")
	}
}

// pieces are the frames of an attempt's answer.
var pieces = []protocol.Frame{
	protocol.ReasoningFrame("r", 1, 1, "I must ", ""),
	protocol.ReasoningFrame("r", 1, 2, "look.", ""),
	protocol.ReasoningFrame("r", 1, 3, "", "c2ln"),
	protocol.RedactedFrame("r", 1, 4, []byte("Hm.")),
	protocol.DeltaFrame("r", 1, 5, "Let me "),
	protocol.DeltaFrame("r", 1, 6, "look."),
	protocol.ToolUseFrame("r", 1, 7, "tooluse_1", "get_weather", []byte(`{"city":"Köln"}`)),
	protocol.ToolUseFrame("r", 1, 8, "tooluse_2", "get_time", []byte(`{}`)),
}

// produced is the same as the model produces it.
var produced = []model.Delta{
	{Kind: model.KindReasoning, Text: "I must "},
	{Kind: model.KindReasoning, Text: "look."},
	{Kind: model.KindReasoning, Signature: "c2ln"},
	{Kind: model.KindReasoning, Redacted: []byte("Hm.")},
	said("Let me "),
	said("look."),
	{Kind: model.KindToolUse, ToolUse: &model.ToolUse{ID: "tooluse_1", Name: "get_weather", Input: []byte(`{"city":"Köln"}`)}},
	{Kind: model.KindToolUse, ToolUse: &model.ToolUse{ID: "tooluse_2", Name: "get_time", Input: []byte(`{}`)}},
}

// Wherever an attempt dies, and whatever of it is in the log, the client reads
// each piece of its answer once.
func TestLogGoesOnWhereTheAttemptWas(t *testing.T) {
	t.Parallel()
	for died := range len(pieces) + 1 {
		for logged := range len(pieces) + 1 {
			r := begunReply(true)
			for _, piece := range produced[:died] {
				r.take(piece)
			}
			log := new(protocol.Answer)
			for _, known := range []int{logged, len(pieces)} {
				log = new(protocol.Answer)
				for _, f := range pieces[:known] {
					log.Add(f)
				}
				r.catchUp(log)
			}
			r.end(succeeded)
			r.close()
			body, err := io.ReadAll(r.response().Body)
			if err != nil {
				t.Fatal(err)
			}
			got := deltas(t, string(body))
			if want := `thinking "I must look." c2ln redacted_thinking SG0u`; strings.Join(got.thoughts, " ") != want {
				t.Errorf("died after %d, %d in the log: thoughts %q", died, logged, got.thoughts)
			}
			if got.reasoning != log.Reasoning() || got.text != log.Text() || strings.Join(got.calls, " ") != "0 tooluse_1 1 tooluse_2" {
				t.Errorf("died after %d, %d in the log: %+v", died, logged, got)
			}
		}
	}
}

type told struct {
	text, reasoning string
	thoughts, calls []string
}

// deltas joins what the chunks of a stream say.
func deltas(t *testing.T, stream string) (all told) {
	t.Helper()
	for event := range strings.SplitSeq(stream, "\n\n") {
		data, ok := strings.CutPrefix(event, "data: {")
		if !ok {
			continue
		}
		var chunk struct {
			Choices []struct {
				Delta struct {
					Text      string                                             `json:"content"`
					Reasoning string                                             `json:"reasoning_content"`
					Thoughts  []struct{ Type, Thinking, Signature, Data string } `json:"thinking_blocks"`
					ToolCalls []struct {
						Index int
						ID    string
					} `json:"tool_calls"`
				}
			}
		}
		if err := json.Unmarshal([]byte("{"+data), &chunk); err != nil {
			t.Fatalf("%v in %s", err, event)
		}
		for _, choice := range chunk.Choices {
			all.text += choice.Delta.Text
			all.reasoning += choice.Delta.Reasoning
			for _, h := range choice.Delta.Thoughts {
				all.thoughts = append(all.thoughts, h.Type)
				if h.Thinking != "" {
					all.thoughts = append(all.thoughts, strconv.Quote(h.Thinking), h.Signature)
				}
				if h.Data != "" {
					all.thoughts = append(all.thoughts, h.Data)
				}
			}
			for _, call := range choice.Delta.ToolCalls {
				all.calls = append(all.calls, fmt.Sprintf("%d %s", call.Index, call.ID))
			}
		}
	}
	return all
}

// The reader of the body is told of a failure when nothing of the function is
// left to do: it is frozen then.
func TestBodyBreaksOffOnlyWhenClosed(t *testing.T) {
	t.Parallel()
	r := begunReply(false)
	r.begin()
	r.fail(openai.AsError(errors.New("broken")))
	if _, err := r.feed.take(make([]byte, 1)); err != nil {
		t.Errorf("the body ended with %v while the function runs", err)
	}
	r.close()
	if _, err := r.feed.take(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the body ended with %v", err)
	}
}
