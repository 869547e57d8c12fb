package lives_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	scripted "github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// toolName is the tool that lives use.
const toolName = "get_weather"

// withBlocks has a life reason, use tools, bring results and ask for the cache:
// what its body has beside the prompt, and what its script has.
func withBlocks(rng *rand.Rand, prompt string) (fields map[string]any, script string) {
	fields = map[string]any{"prompt": prompt}
	if rng.IntN(2) == 0 {
		return fields, ""
	}
	if rng.IntN(2) == 0 {
		script += fmt.Sprintf(" reasoning=%d", 1+rng.IntN(30))
		fields["reasoning"] = map[string]string{"effort": protocol.EffortLow}
	}
	if rng.IntN(2) == 0 {
		script += " redacted"
	}
	if rng.IntN(2) == 0 {
		script += " cached=1000 written=200"
		fields["cache"] = true
	}
	if rng.IntN(3) > 0 {
		script += fmt.Sprintf(` tool=%s tool=%s toolInput={"city":"K\u00f6ln %s"}`, toolName, toolName, strings.Repeat("x", rng.IntN(200)))
		fields["tools"] = []protocol.Tool{{Name: toolName, InputSchema: json.RawMessage(`{"type":"object"}`)}}
		if rng.IntN(3) == 0 {
			delete(fields, "prompt")
			fields["messages"] = resultOf(prompt)
		}
	}
	return fields, script
}

// resultOf is a conversation that brings the result of a tool.
func resultOf(prompt string) []protocol.Message {
	return []protocol.Message{
		{Role: protocol.RoleUser, Content: "Is it warm?"},
		{Role: protocol.RoleAssistant, Blocks: []protocol.Block{
			{Type: protocol.BlockReasoning, Text: "I must look.", Signature: "c2lnbmVk"},
			{Type: protocol.BlockToolUse, ToolUseID: "t1", Name: toolName, Input: json.RawMessage(`{}`)},
		}},
		{Role: protocol.RoleUser, Blocks: []protocol.Block{
			{Type: protocol.BlockToolResult, ToolUseID: "t1", Content: []protocol.Block{{Type: protocol.BlockJSON, JSON: json.RawMessage(`{"celsius":7}`)}}},
			protocol.TextBlock(prompt),
		}},
	}
}

// answerOf is what a reply of the model is to who hears all of it.
func answerOf(reply scripted.Reply, script scripted.Script) *protocol.Answer {
	answer := new(protocol.Answer)
	reasoning := strings.Join(reply.Reasoning, "")
	switch {
	case reasoning != "" && script.Redacted:
		answer.Add(protocol.RedactedFrame("", 1, 1, []byte(reasoning)))
	case reasoning != "":
		answer.Add(protocol.ReasoningFrame("", 1, 1, reasoning, "c2lnbmVk"))
	}
	answer.Add(protocol.DeltaFrame("", 1, 1, reply.Text()))
	for _, call := range reply.Calls {
		input := []byte(strings.Join(call.Input, ""))
		if len(input) == 0 { // cut before its first character: as that of a tool that takes none
			input = []byte("{}")
		}
		if json.Valid(input) {
			answer.Add(protocol.ToolUseFrame("", 1, 1, call.ID, call.Name, input))
		}
	}
	return answer
}

// blocksAreExact is invariant 7 for what is no text: succeeded -> GET's content =
// that of every device = all that the model produced in the attempt. Else GET's
// is the beginning of what one call would have produced.
func (w *world) blocksAreExact(r life.Record, state protocol.RequestState, produced []*protocol.Answer) {
	whole := r.Status == protocol.StatusSucceeded && r.StopReason != protocol.StopReasonDeadline
	if len(state.Content) > 0 && !slices.ContainsFunc(produced, func(a *protocol.Answer) bool { return isPartOf(state, a, whole) }) {
		var contents []string
		for _, a := range produced {
			contents = append(contents, string(protocol.Encode(a.Content())))
		}
		w.violate(7, "%s %s %s: GET's content %s is none of %s", r.RequestID, r.Status, r.StopReason, protocol.Encode(state.Content), contents)
	}
	for _, d := range w.devices[r.UserID] {
		f := d.follows[r.RequestID]
		if r.Status != protocol.StatusSucceeded || f == nil || f.ends == 0 {
			continue
		}
		if got, want := protocol.Encode(f.assembler.Content()), protocol.Encode(state.Content); !bytes.Equal(got, want) {
			w.violate(7, "%s: a device has %s, GET %s", r.RequestID, got, want)
		}
		if got, want := f.uses, len(protocol.AnswerOf(state).ToolUses()); got != want {
			w.violate(7, "%s: a device was told of %d uses of tools, GET of %d", r.RequestID, got, want)
		}
	}
}

// isPartOf reports whether a state is an answer; not whole: or its beginning.
func isPartOf(state protocol.RequestState, a *protocol.Answer, whole bool) bool {
	if whole {
		return bytes.Equal(protocol.Encode(state.Content), protocol.Encode(a.Content()))
	}
	told := protocol.AnswerOf(state)
	uses, all := told.ToolUses(), a.ToolUses()
	return strings.HasPrefix(a.Text(), told.Text()) && strings.HasPrefix(a.Reasoning(), told.Reasoning()) && len(uses) <= len(all) &&
		slices.EqualFunc(uses, all[:len(uses)], func(a, b protocol.Block) bool { return bytes.Equal(protocol.Encode(a), protocol.Encode(b)) })
}

// producedBytes are the bytes of a content that the model produced.
func producedBytes(content []protocol.Block) (n int64) {
	for _, b := range content {
		n += int64(len(b.Text) + len(b.Signature) + len(b.Redacted) + len(b.Name) + len(b.Input))
	}
	return n
}
