package openai

import (
	"encoding/json"
	"fmt"

	"github.com/streaming-service/streaming-service/protocol"
)

// Roles that protocol does not have.
const (
	roleSystem    = "system"
	roleDeveloper = "developer"
	roleTool      = "tool"
	roleFunction  = "function"
)

// turn is a message as it is given.
type turn struct {
	param    string // where it stands: messages[2]
	role     string
	content  []placed
	given    bool // content is there
	calls    []placed
	thoughts []placed // reasoning, sealed
	callID   *string  // of the call that a tool's message answers
}

// placed is a block and where it stands in the request.
type placed struct {
	protocol.Block
	param string
	// fields are the names of members of the block, from param on, where they
	// are not those of the block itself.
	fields map[string]string
}

var messageFields = []field[turn]{
	{name: "role", note: "`system` and `developer`, wherever they stand, become the system text; `user`; `assistant`; `tool`. `function` is refused", read: readRole},
	{name: "content", note: "a string, or parts. An `assistant` may have none: without `tool_calls`, too, such a message is left out", read: readContent},
	{name: "name", note: "Converse has none"},
	{name: "refusal"},
	{name: "audio"},
	{name: "annotations", nothing: []any{[]any{}}},
	{name: "tool_calls", note: "an assistant's; each is answered by a message of the role `tool`, next", read: readToolCalls},
	{name: "function_call"},
	{name: "tool_call_id", note: "a tool's", read: readCallID},
	{name: "parsed", note: "what clients add to an answer that they have read", ignored: true, read: ignoreAll[turn]},
	{name: "reasoning_content", note: "not given back to the model, which would want its seal: see `thinking_blocks`", ignored: true, read: ignoreText[turn]},
	{name: "provider_specific_fields", note: "what LiteLLM adds to an answer that it has read", ignored: true, read: ignoreAll[turn]},
	{name: "thinking_blocks", note: "an assistant's, as they were answered; an extension, see below", read: readThoughts},
}

func readMessages(r *request, param string, value json.RawMessage) *Error {
	list, e := filledArray(param, value)
	if e != nil {
		return e
	}
	r.turns = make([]turn, len(list))
	for i, raw := range list {
		t := turn{param: fmt.Sprintf("%s[%d]", param, i)}
		if e := readObject(messageFields, &t, t.param, raw); e != nil {
			return e
		}
		if e := t.check(); e != nil {
			return e
		}
		r.turns[i] = t
	}
	return nil
}

// check checks what belongs to the role of a message.
func (t turn) check() *Error {
	switch {
	case t.role == "":
		return missing(t.param + ".role")
	case t.role != protocol.RoleAssistant && len(t.calls) > 0:
		return misplaced(t.param+".tool_calls", protocol.RoleAssistant)
	case t.role != protocol.RoleAssistant && len(t.thoughts) > 0:
		return misplaced(t.param+".thinking_blocks", protocol.RoleAssistant)
	case t.role != roleTool && t.callID != nil:
		return misplaced(t.param+".tool_call_id", roleTool)
	case t.role == roleTool && t.callID == nil:
		return missing(t.param + ".tool_call_id")
	case t.role != protocol.RoleAssistant && !t.given:
		return missing(t.param + ".content")
	case t.role == protocol.RoleUser && len(t.content) == 0:
		return invalid(t.param+".content", codeEmptyString, "Invalid '%s.content': it must not be blank.", t.param)
	case t.role != protocol.RoleUser:
		return t.textOnly()
	}
	return nil
}

func misplaced(param, role string) *Error {
	return invalid(param, codeInvalidValue, "Invalid '%s': it is only for messages with the role '%s'.", param, role)
}

// textOnly checks that there is nothing but text in a message.
func (t turn) textOnly() *Error {
	for _, b := range t.content {
		if b.Type != protocol.BlockText {
			return invalid(b.param, codeUnsupportedValue, "Unsupported value: '%s' must be of the type 'text': images and files are for messages with the role 'user'.", b.param)
		}
	}
	return nil
}

func readRole(t *turn, param string, value json.RawMessage) *Error {
	role, e := text(param, value)
	if e != nil {
		return e
	}
	switch role {
	case protocol.RoleUser, protocol.RoleAssistant, roleSystem, roleDeveloper, roleTool:
		t.role = role
		return nil
	case roleFunction:
		return invalid(param, codeUnsupportedValue, "Unsupported value: '%s' does not support 'function' here: use 'tool'.", param)
	}
	return invalid(param, codeInvalidValue, "Invalid value: '%s'. Supported values of '%s' are: 'system', 'developer', 'user', 'assistant' and 'tool'.", unquoted(role), param)
}

// readContent reads a string, parts, or null, which is an assistant's way to
// have said nothing. Blank texts are no part of it.
func readContent(t *turn, param string, value json.RawMessage) *Error {
	if isNull(value) {
		return nil
	}
	t.given = true
	if value[0] == '"' {
		said, e := text(param, value)
		t.add(placed{Block: protocol.TextBlock(said), param: param})
		return e
	}
	list, e := array(param, value)
	if e != nil {
		return wrongType(param, "a string or an array", value)
	}
	for i, raw := range list {
		b, e := readPart(fmt.Sprintf("%s[%d]", param, i), raw)
		if e != nil {
			return e
		}
		t.add(b)
	}
	return nil
}

func (t *turn) add(b placed) {
	if !b.blank() {
		t.content = append(t.content, b)
	}
}
