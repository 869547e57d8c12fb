package e2e_test

import (
	"net/http"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/protocol"
)

// assembled is what a client has of a request that has ended.
func assembled(t *testing.T, s localcloudtest.Stream) *protocol.Assembler {
	t.Helper()
	var a protocol.Assembler
	for _, frame := range s.Frames {
		decoded, err := protocol.DecodeFrame([]byte(frame.Raw))
		if err != nil {
			t.Fatal(err)
		}
		a.Apply(decoded)
	}
	return &a
}

// contentOf is the content that GET gives.
func (p *person) contentOf(id string) []protocol.Block {
	p.t.Helper()
	answer := p.call("GET", "/requests/"+id, nil)
	var state protocol.RequestState
	answer.Decode(p.t, &state)
	return state.Content
}

// TestToolLoop: a model that reasons and uses a tool is given the result, with its
// own words as they came, and answers.
func TestToolLoop(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	request := protocol.SubmitRequest{
		Messages:  []protocol.Message{{Role: protocol.RoleUser, Content: "Is it warm in Köln?"}},
		System:    "script: rate=400 tokens=20 reasoning=40 tool=get_weather",
		Tools:     []protocol.Tool{{Name: "get_weather", Description: "The weather of a city.", InputSchema: []byte(`{"type":"object","properties":{"city":{"type":"string"}}}`)}},
		Reasoning: &protocol.Reasoning{Effort: protocol.EffortLow},
		Cache:     true,
	}
	id := accepted(t, p.call("POST", "/requests", request))
	a := assembled(t, socket.Stream(t, id, patience))
	content := a.Content()
	if end := a.End(); end == nil || end.StopReason != protocol.StopReasonToolUse || len(content) != 3 ||
		content[0].Type != protocol.BlockReasoning || content[0].Signature == "" || content[1].Type != protocol.BlockText ||
		content[2].Name != "get_weather" || string(content[2].Input) != `{"city":"Köln"}` {
		t.Fatalf("content %s, end %+v", protocol.Encode(content), end)
	}
	if read := p.contentOf(id); string(protocol.Encode(read)) != string(protocol.Encode(content)) {
		t.Errorf("GET has %s, the socket %s", protocol.Encode(read), protocol.Encode(content))
	}

	request.System = "script: rate=400 tokens=20 tool=get_weather cached=1000 written=50"
	request.Messages = append(request.Messages,
		protocol.Message{Role: protocol.RoleAssistant, Blocks: content},
		protocol.Message{Role: protocol.RoleUser, Blocks: []protocol.Block{{
			Type: protocol.BlockToolResult, ToolUseID: content[2].ToolUseID,
			Content: []protocol.Block{{Type: protocol.BlockJSON, JSON: []byte(`{"celsius":7.5}`)}},
		}}})
	id = accepted(t, p.call("POST", "/requests", request))
	a = assembled(t, socket.Stream(t, id, patience))
	if end := a.End(); end == nil || end.StopReason != "end_turn" || a.Text() == "" || end.Usage.CacheReadTokens != 1000 || end.Usage.CacheWriteTokens != 50 {
		t.Errorf("text %q, end %+v", a.Text(), end)
	}
}

// TestImagesAndDocuments reach the model, which counts them.
func TestImagesAndDocuments(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	id := accepted(t, p.call("POST", "/requests", protocol.SubmitRequest{
		System: "script: rate=400 tokens=20",
		Messages: []protocol.Message{{Role: protocol.RoleUser, Blocks: []protocol.Block{
			protocol.TextBlock("Compare them."),
			{Type: protocol.BlockImage, Format: "png", Data: []byte("\x89PNG")},
			{Type: protocol.BlockDocument, Format: "pdf", Name: "Report", Data: []byte("%PDF")},
		}}},
	}))
	end := assembled(t, socket.Stream(t, id, patience)).End()
	if end == nil || end.Type != protocol.FrameDone || end.Usage.InputTokens < 2_600+1_500 {
		t.Errorf("end %+v, want the tokens of an image and a page", end)
	}
}

// TestModelNotCapable: what the model does not take is refused before anything is
// counted.
func TestModelNotCapable(t *testing.T) {
	t.Parallel()
	p := newPerson(t, ownCloud(t, "model.modelId=us.amazon.nova-micro-v1:0"))
	answer := p.call("POST", "/requests", protocol.SubmitRequest{
		Messages: []protocol.Message{{Role: protocol.RoleUser, Blocks: []protocol.Block{
			protocol.TextBlock("What is on it?"), {Type: protocol.BlockImage, Format: "png", Data: []byte("\x89PNG")},
		}}},
	})
	var problem protocol.Problem
	answer.Decode(t, &problem)
	if answer.Status != http.StatusBadRequest || problem.Code != protocol.CodeModelNotCapable || len(problem.Errors) != 1 || problem.Errors[0].Field != "messages[0].content[1]" {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
	if used := p.usage(); used.Requests.Used != 0 {
		t.Errorf("usage %+v", used)
	}
}
