package openai_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/protocol"
)

var update = flag.Bool("update", false, "write the golden files and the tables of docs/openai.md instead of comparing with them")

func answer(includeUsage bool) openai.Answer {
	return openai.Answer{
		RequestID:    "aaaaaaaaaaaaaaaaaaaaaaaaaa",
		Created:      time.Date(2026, 11, 27, 22, 0, 0, 0, time.UTC),
		Model:        "global.amazon.nova-2-lite-v1:0",
		IncludeUsage: includeUsage,
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	for name, includeUsage := range map[string]bool{"stream.txt": false, "stream-usage.txt": true} {
		a := answer(includeUsage)
		var stream []byte
		for _, piece := range [][]byte{
			a.Start(), a.Content("Höhe <b>&\n"), []byte(openai.Heartbeat), a.Content("\u2028"), a.Finish(openai.FinishLength),
			a.Usage(protocol.TokenUsage{InputTokens: 12, OutputTokens: 345}), []byte(openai.Done),
		} {
			stream = append(stream, piece...)
		}
		golden(t, name, stream)
	}
}

func TestStreamThatFails(t *testing.T) {
	t.Parallel()
	a := answer(false)
	failure := openai.Failure(protocol.RequestError{Code: protocol.CodeModelError, Message: "The model could not answer this request.", Retryable: true})
	golden(t, "stream-failed.txt", append(append(a.Start(), a.Content("a")...), failure.Event()...))
}

func TestWhole(t *testing.T) {
	t.Parallel()
	said := new(protocol.Answer)
	said.Add(protocol.DeltaFrame("r", 1, 1, "Blue <i>light</i>."))
	golden(t, "whole.json", answer(false).Whole(said, openai.FinishStop, protocol.TokenUsage{InputTokens: 12, OutputTokens: 345, Estimated: true}))
	golden(t, "whole-empty.json", answer(false).Whole(new(protocol.Answer), openai.FinishContentFilter, protocol.TokenUsage{InputTokens: 12}))
}

// Reasoning and uses of tools, whole and as they come.
func TestToolCalls(t *testing.T) {
	t.Parallel()
	frames := []protocol.Frame{
		protocol.ReasoningFrame("r", 1, 1, "I must <look>.", "c2ln"),
		protocol.ToolUseFrame("r", 1, 2, "tooluse_1", "get_weather", json.RawMessage(`{"city":"Köln"}`)),
		protocol.ToolUseFrame("r", 1, 3, "tooluse_2", "get_time", json.RawMessage(`{}`)),
	}
	said := new(protocol.Answer)
	for _, f := range frames {
		said.Add(f)
	}
	spent := protocol.TokenUsage{InputTokens: 12, OutputTokens: 345, CacheReadTokens: 10}
	golden(t, "whole-tools.json", answer(false).Whole(said, openai.FinishToolCalls, spent))
	a, uses := answer(true), said.ToolUses()
	golden(t, "stream-tools.txt", bytes.Join([][]byte{
		a.Start(), a.Reasoning("I must <look>."), a.Thoughts(openai.ThoughtsOf(said.Content())), a.ToolCall(0, uses[0]), a.ToolCall(1, uses[1]), a.Finish(openai.FinishToolCalls), a.Usage(spent), []byte(openai.Done),
	}, nil))
}

func TestModels(t *testing.T) {
	t.Parallel()
	golden(t, "models.json", openai.Models([]string{"global.amazon.nova-2-lite-v1:0", "n"}))
	if got := string(openai.Models(nil)); got != `{"object":"list","data":[]}` {
		t.Errorf("no models: %s", got)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s\n got %s\nwant %s", name, got, want)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	done := func(reason string) protocol.Frame {
		return protocol.DoneFrame("r", 1, 2, reason, protocol.TokenUsage{})
	}
	failed := func(code protocol.Code, retryable bool) protocol.Frame {
		return protocol.ErrorFrame("r", 1, 2, protocol.RequestError{Code: code, Message: "Words.", Retryable: retryable})
	}
	tests := []struct {
		name   string
		frame  protocol.Frame
		finish string
		status int // of the failure
		header map[string]string
	}{
		{"end of turn", done("end_turn"), "stop", 0, nil},
		{"stop sequence", done("stop_sequence"), "stop", 0, nil},
		{"unknown", done("something_new"), "stop", 0, nil},
		{"max tokens", done("max_tokens"), "length", 0, nil},
		{"deadline", done("deadline"), "length", 0, nil},
		{"context window", done("model_context_window_exceeded"), "length", 0, nil},
		{"tool", done("tool_use"), "tool_calls", 0, nil},
		{"guardrail", done("guardrail_intervened"), "content_filter", 0, nil},
		{"filtered", failed(protocol.CodeContentFiltered, false), "content_filter", 0, nil},
		{"throttled", failed(protocol.CodeModelThrottled, true), "", 503, map[string]string{"Retry-After": "1"}},
		{"throttled for good", failed(protocol.CodeModelThrottled, false), "", 503, map[string]string{"x-should-retry": "false"}},
		{"model", failed(protocol.CodeModelError, true), "", 502, nil},
		{"timeout", failed(protocol.CodeModelTimeout, true), "", 504, nil},
		{"expired", failed(protocol.CodeExpired, true), "", 504, nil},
		{"cancelled", failed(protocol.CodeCancelled, false), "", 409, map[string]string{"x-should-retry": "false"}},
		{"gone upload", failed(protocol.CodeUploadNotFound, false), "", 400, map[string]string{"x-should-retry": "false"}},
		{"internal", failed(protocol.CodeInternal, true), "", 500, nil},
		{"dead-lettered", failed(protocol.CodeDeadLettered, true), "", 500, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			finish, failure := openai.End(test.frame)
			if finish != test.finish || (failure == nil) != (test.status == 0) {
				t.Fatalf("End = %q, %v", finish, failure)
			}
			if failure == nil {
				return
			}
			kind := "server_error"
			if test.status == 400 {
				kind = "invalid_request_error"
			}
			if failure.Status != test.status || failure.Type != kind || value(failure.Code) != string(test.frame.Code) || failure.Message != "Words." {
				t.Errorf("failure %d: %s", failure.Status, failure.Body())
			}
			sameHeader(t, failure.Header, test.header)
		})
	}
}
