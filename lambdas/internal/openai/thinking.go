package openai

import (
	"encoding/json"
	"strings"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
	"github.com/streaming-service/streaming-service/protocol"
)

// Types of sealed reasoning.
const (
	typeThinking = "thinking"
	typeRedacted = "redacted_thinking"
)

// Thought is reasoning that its model has sealed, in the form that LiteLLM gave
// it: OpenAI's API has no place for it, and Claude wants it back with the results
// of the tools that it used.
type Thought struct {
	Type      string  `json:"type"`
	Thinking  *string `json:"thinking,omitempty"` // of typeThinking; it may be empty
	Signature string  `json:"signature,omitempty"`
	Data      []byte  `json:"data,omitempty"` // of typeRedacted
}

// ThoughtsOf is the sealed reasoning among blocks.
func ThoughtsOf(content []protocol.Block) []Thought {
	var list []Thought
	for _, b := range content {
		switch {
		case b.Type != protocol.BlockReasoning:
		case b.Redacted != nil:
			list = append(list, Thought{Type: typeRedacted, Data: b.Redacted})
		case b.Signature != "":
			list = append(list, Thought{Type: typeThinking, Thinking: &b.Text, Signature: b.Signature})
		}
	}
	return list
}

// thought is a Thought as it is given.
type thought struct {
	kind, thinking, signature string
	data                      string
}

var thoughtFields = []field[thought]{
	{name: "type", note: "`thinking` or `redacted_thinking`", read: func(h *thought, param string, value json.RawMessage) (e *Error) {
		h.kind, e = filledText(param, value)
		return e
	}},
	{name: "thinking", read: func(h *thought, param string, value json.RawMessage) *Error {
		return readTextIfThere(&h.thinking, param, value)
	}},
	{name: "signature", note: "without one the block is left out, as no model wants it", read: func(h *thought, param string, value json.RawMessage) *Error {
		return readTextIfThere(&h.signature, param, value)
	}},
	{name: "data", note: "of `redacted_thinking`, in base64", read: func(h *thought, param string, value json.RawMessage) *Error {
		return readTextIfThere(&h.data, param, value)
	}},
	{name: "cache_control", note: "a hint", ignored: true, read: ignoreObject[thought]},
}

func readTextIfThere(into *string, param string, value json.RawMessage) (e *Error) {
	if !isNull(value) {
		*into, e = text(param, value)
	}
	return e
}

func readThoughts(t *turn, param string, value json.RawMessage) *Error {
	return readEach(thoughtFields, param, value, func(h thought, name string) *Error {
		b, e := h.block(name)
		if e == nil && (strings.TrimSpace(b.Signature) != "" || b.Redacted != nil) {
			t.thoughts = append(t.thoughts, b)
		}
		return e
	})
}

func (h thought) block(param string) (placed, *Error) {
	b := placed{
		Block: protocol.Block{Type: protocol.BlockReasoning}, param: param,
		fields: map[string]string{"text": ".thinking", "signature": ".signature", "redacted": ".data"},
	}
	var e *Error
	switch h.kind {
	case "":
		e = missing(param + ".type")
	case typeThinking:
		b.Text, b.Signature = h.thinking, h.signature
	case typeRedacted:
		b.Redacted, e = decoded(param+".data", h.data)
	default:
		e = invalid(param+".type", codeUnsupportedValue, "Unsupported value: '%s.type' does not support '%s' here. Supported values are: 'thinking' and 'redacted_thinking'.", param, unquoted(h.kind))
	}
	return b, e
}

// forgetThoughts leaves out the reasoning of another model if that of the request
// takes none back.
func (r *request) forgetThoughts() {
	if modelfamily.Of(r.Submit.Model).TakesReasoningBack() {
		return
	}
	for i := range r.turns {
		r.turns[i].thoughts = nil
	}
}
