package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

func toolUseFrame(seq int, id, city string) protocol.Frame {
	return protocol.ToolUseFrame(requestID, 1, seq, id, "get_weather", json.RawMessage(`{"city":"`+city+`"}`))
}

func endFrame(seq int, reason string) protocol.Frame {
	return protocol.DoneFrame(requestID, 1, seq, reason, protocol.TokenUsage{InputTokens: 3, OutputTokens: 2})
}

var (
	asking = protocol.SubmitRequest{
		Prompt:     "Is it warm?",
		Tools:      []protocol.Tool{{Name: "get_weather", InputSchema: json.RawMessage(`{"type":"object"}`)}},
		ToolChoice: &protocol.ToolChoice{Mode: protocol.ToolChoiceAny},
	}
	using = []protocol.Frame{
		startFrame(), protocol.ReasoningFrame(requestID, 1, 1, "I must look.", "c2ln"), deltaFrame(2, " "),
		toolUseFrame(3, "use-1", "Köln"), toolUseFrame(4, "use-2", "Bonn"), endFrame(5, protocol.StopReasonToolUse),
	}
	saying = []protocol.Frame{startFrame(), deltaFrame(1, "It is cold."), endFrame(2, "end_turn")}
)

func TestReasoningAndToolUsesAreEvents(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		stream, err := f.connected().Submit(t.Context(), hello)
		if err != nil {
			t.Fatal(err)
		}
		f.last().send(using...)
		events := all(t, stream.Events(t.Context()))
		wantEvents(t, events[:3], client.Reasoning{Text: "I must look."}, client.Delta{Text: " "}, client.ToolUse{ID: "use-1", Name: "get_weather", Input: json.RawMessage(`{"city":"Köln"}`)})
		if stream.Reasoning() != "I must look." || len(stream.Content()) != 4 || stream.Content()[0].Signature != "c2ln" {
			t.Errorf("reasoning %q, content %+v", stream.Reasoning(), stream.Content())
		}
	})
}

// answers has the service answer each submission with the next frames, and
// returns what was submitted.
func (f *fakeService) answers(list ...[]protocol.Frame) func() ([]protocol.SubmitRequest, []string) {
	var requests []protocol.SubmitRequest
	var keys []string
	// Not last: the test itself may wait for others.
	newest := func() *socket {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.sockets[len(f.sockets)-1]
	}
	f.submit = func(w http.ResponseWriter, r *http.Request, body []byte) {
		var request protocol.SubmitRequest
		if err := json.Unmarshal(body, &request); err != nil {
			f.t.Errorf("submitted %s: %v", body, err)
		}
		requests, keys = append(requests, request), append(keys, r.Header.Get("Idempotency-Key"))
		id := strings.Repeat(string(rune('a'+len(requests))), 26)
		accept(w, id)
		for _, frame := range list[min(len(requests), len(list))-1] {
			frame.RequestID = id
			newest().send(frame)
		}
	}
	return func() ([]protocol.SubmitRequest, []string) { return requests, keys }
}

func all(t *testing.T, events func(func(client.Event, error) bool)) (list []client.Event) {
	t.Helper()
	for event, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, event)
	}
	return list
}

func weather(_ context.Context, use client.ToolUse) (any, error) {
	if strings.Contains(string(use.Input), "Bonn") {
		return nil, errors.New("no such city")
	}
	return map[string]any{"celsius": 7}, nil
}

func TestToolLoop(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		submitted := f.answers(using, saying)
		loop := client.ToolLoop{Client: f.connected(), Request: asking, Run: weather, Key: "k"}
		var kinds []string
		for _, event := range all(t, loop.Events(t.Context())) {
			switch e := event.(type) {
			case client.Asked:
				kinds = append(kinds, "asked")
			case client.Answered:
				kinds = append(kinds, "answered")
			case client.ToolResult:
				kinds = append(kinds, "result of "+e.Use.ID)
			case client.Done:
				kinds = append(kinds, "done")
			}
		}
		if want := []string{"asked", "answered", "result of use-1", "result of use-2", "asked", "done"}; !slices.Equal(kinds, want) {
			t.Errorf("events %q, want %q", kinds, want)
		}
		requests, keys := submitted()
		if !slices.Equal(keys, []string{"k", "k.2"}) {
			t.Errorf("keys %q", keys)
		}
		if requests[0].ToolChoice == nil || requests[1].ToolChoice != nil || len(requests[1].Tools) != 1 {
			t.Errorf("a tool that must be used is asked for once: %+v", requests)
		}
		const want = `[{"role":"user","content":"Is it warm?"},{"role":"assistant","content":[` +
			`{"type":"reasoning","text":"I must look.","signature":"c2ln"},` +
			`{"type":"toolUse","toolUseId":"use-1","name":"get_weather","input":{"city":"Köln"}},` +
			`{"type":"toolUse","toolUseId":"use-2","name":"get_weather","input":{"city":"Bonn"}}]},{"role":"user","content":[` +
			`{"type":"toolResult","toolUseId":"use-1","content":[{"type":"json","json":{"celsius":7}}]},` +
			`{"type":"toolResult","toolUseId":"use-2","status":"error","content":[{"type":"text","text":"no such city"}]}]}]`
		if got := string(protocol.Encode(requests[1].Messages)); got != want {
			t.Errorf("second request\n got %s\nwant %s", got, want)
		}
		if messages := loop.Messages(); len(messages) != 4 || messages[3].Blocks[0].Text != "It is cold." {
			t.Errorf("conversation %+v", messages)
		}
	})
}

func TestToolLoopEnds(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		submitted := f.answers(using)
		loop := client.ToolLoop{Client: f.connected(), Request: asking, Run: weather, MaxRequests: 3}
		events := all(t, loop.Events(t.Context()))
		if done, ok := events[len(events)-1].(client.Done); !ok || done.StopReason != protocol.StopReasonToolUse {
			t.Errorf("last event %+v", events[len(events)-1])
		}
		if requests, _ := submitted(); len(requests) != 3 {
			t.Errorf("%d requests", len(requests))
		}
	})
}

func TestToolLoopStopsItsTools(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		submitted := f.answers(using, saying)
		runs := make(chan struct{}, 2)
		loop := client.ToolLoop{Client: f.connected(), Request: asking, Run: func(ctx context.Context, _ client.ToolUse) (any, error) {
			runs <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		go func() {
			<-runs
			if err := loop.Cancel(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		events := all(t, loop.Events(t.Context()))
		if failed, ok := events[len(events)-1].(client.Failed); !ok || failed.Code != protocol.CodeCancelled {
			t.Errorf("last event %+v", events[len(events)-1])
		}
		if requests, _ := submitted(); len(requests) != 1 {
			t.Errorf("%d requests", len(requests))
		}
	})
}

func TestToolLoopThatIsRefused(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		f.submit = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			refuse(w, 400, protocol.CodeModelNotCapable, "")
		}
		loop := client.ToolLoop{Client: f.connected(), Request: asking, Run: weather}
		for event, err := range loop.Events(t.Context()) {
			var refusal *client.APIError
			if event != nil || !errors.As(err, &refusal) || refusal.Code != protocol.CodeModelNotCapable {
				t.Errorf("event %+v, %v", event, err)
			}
		}
	})
}

func TestResultsOfTools(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value any
		want  string
	}{
		"a text":    {"cold", `[{"type":"text","text":"cold"}]`},
		"no text":   {" ", `[{"type":"json","json":{"result":" "}}]`},
		"nothing":   {nil, `[{"type":"json","json":{"result":null}}]`},
		"a number":  {7, `[{"type":"json","json":{"result":7}}]`},
		"an object": {struct{ Celsius int }{7}, `[{"type":"json","json":{"Celsius":7}}]`},
		"blocks":    {[]protocol.Block{{Type: protocol.BlockImage, Format: "png", Data: []byte("x")}}, `[{"type":"image","format":"png","data":"eA=="}]`},
		"no blocks": {[]protocol.Block{}, `[{"type":"json","json":{"result":null}}]`},
		"no JSON":   {func() {}, `[{"type":"text","text":"encoding the result of a tool: json: unsupported type: func()"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serve(t, func(t *testing.T, f *fakeService) {
				submitted := f.answers(append(slices.Clone(using[:4]), endFrame(4, protocol.StopReasonToolUse)), saying)
				loop := client.ToolLoop{Client: f.connected(), Request: asking, Run: func(context.Context, client.ToolUse) (any, error) { return test.value, nil }}
				all(t, loop.Events(t.Context()))
				requests, _ := submitted()
				if got := string(protocol.Encode(requests[1].Messages[2].Blocks[0].Content)); got != test.want {
					t.Errorf("result %s, want %s", got, test.want)
				}
			})
		})
	}
}
