package openai

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// Roles that protocol does not have.
const (
	roleSystem    = "system"
	roleDeveloper = "developer"
	roleTool      = "tool"
	roleFunction  = "function"
)

// Texts that become one are kept apart by these.
const (
	betweenParts    = "\n"
	betweenMessages = "\n\n"
)

// turn is a message as it is given.
type turn struct {
	param   string // where it stands: messages[2]
	role    string
	content string
	given   bool // content is there
}

var messageFields = []field[turn]{
	{name: "role", note: "`system` and `developer`, wherever they stand, become the system text; `user`; `assistant`. `tool` and `function` are refused", read: readRole},
	{name: "content", note: "a string, or parts of the type `text`. An `assistant` may have none: such a message is left out", read: readContent},
	{name: "name", note: "Converse has none"},
	{name: "refusal"},
	{name: "audio"},
	{name: "annotations", nothing: []any{[]any{}}},
	{name: "tool_calls", nothing: []any{[]any{}}},
	{name: "function_call"},
	{name: "tool_call_id"},
	{name: "reasoning_content", nothing: []any{""}},
}

// part is one part of a content that is an array.
type part struct {
	kind, text string
	given      bool // text is there
}

var partFields = []field[part]{
	{name: "type", note: "`text`", read: readPartType},
	{name: "text", note: "parts of one message are joined by a line break", read: readPartText},
	{name: "prompt_cache_breakpoint", note: "a hint", ignored: true, read: ignoreObject[part]},
	{name: "image_url"},
	{name: "input_audio"},
	{name: "file"},
	{name: "refusal"},
}

func readMessages(r *request, param string, value json.RawMessage) *Error {
	list, e := array(param, value)
	if e != nil {
		return e
	}
	if len(list) == 0 {
		return invalid(param, codeEmptyArray, "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", param)
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

func (t turn) check() *Error {
	switch {
	case t.role == "":
		return missing(t.param + ".role")
	case t.role == protocol.RoleAssistant:
		return nil
	case !t.given:
		return missing(t.param + ".content")
	case t.role == protocol.RoleUser && t.blank():
		return invalid(t.param+".content", codeEmptyString, "Invalid '%s.content': it must not be blank.", t.param)
	}
	return nil
}

func (t turn) blank() bool { return strings.TrimSpace(t.content) == "" }

func readRole(t *turn, param string, value json.RawMessage) *Error {
	role, e := text(param, value)
	if e != nil {
		return e
	}
	switch role {
	case protocol.RoleUser, protocol.RoleAssistant, roleSystem, roleDeveloper:
		t.role = role
		return nil
	case roleTool, roleFunction:
		return invalid(param, codeUnsupportedValue, "Unsupported value: '%s' does not support '%s' here: there are no tools.", param, role)
	}
	return invalid(param, codeInvalidValue, "Invalid value: '%s'. Supported values of '%s' are: 'system', 'developer', 'user' and 'assistant'.", unquoted(role), param)
}

// readContent reads a string, parts, or null, which is an assistant's way to
// have said nothing.
func readContent(t *turn, param string, value json.RawMessage) (e *Error) {
	if isNull(value) {
		return nil
	}
	t.given = true
	if value[0] == '"' {
		t.content, e = text(param, value)
		return e
	}
	list, e := array(param, value)
	if e != nil {
		return wrongType(param, "a string or an array", value)
	}
	texts := make([]string, len(list))
	for i, raw := range list {
		if texts[i], e = readPart(fmt.Sprintf("%s[%d]", param, i), raw); e != nil {
			return e
		}
	}
	t.content = strings.Join(texts, betweenParts)
	return nil
}

func readPart(param string, raw json.RawMessage) (string, *Error) {
	var p part
	if e := readObject(partFields, &p, param, raw); e != nil {
		return "", e
	}
	switch {
	case p.kind == "":
		return "", missing(param + ".type")
	case !p.given:
		return "", missing(param + ".text")
	}
	return p.text, nil
}

func readPartType(p *part, param string, value json.RawMessage) *Error {
	kind, e := text(param, value)
	if e != nil {
		return e
	}
	if kind != "text" {
		return invalid(param, codeUnsupportedValue, "Unsupported value: '%s' does not support '%s' here. The supported value is 'text'.", param, unquoted(kind))
	}
	p.kind = kind
	return nil
}

func readPartText(p *part, param string, value json.RawMessage) (e *Error) {
	p.given = true
	p.text, e = text(param, value)
	return e
}

// converse makes of the messages what the model takes: a system text, and turns
// of user and assistant that alternate and have the user at both ends.
func converse(turns []turn) (system string, messages []protocol.Message, e *Error) {
	var instructions []string
	var last turn
	for _, t := range turns {
		switch {
		case t.blank(): // nothing was said
		case t.role == roleSystem || t.role == roleDeveloper:
			instructions = append(instructions, t.content)
		case len(messages) == 0 && t.role == protocol.RoleAssistant:
			return "", nil, outOfTurn(t, "begin")
		case t.role == last.role:
			messages[len(messages)-1].Content += betweenMessages + t.content
			last = t
		default:
			messages = append(messages, protocol.Message{Role: t.role, Content: t.content})
			last = t
		}
	}
	switch last.role {
	case "":
		return "", nil, invalid("messages", codeInvalidValue, "Invalid 'messages': there must be a message with the role 'user'.")
	case protocol.RoleAssistant:
		return "", nil, outOfTurn(last, "end")
	}
	return strings.Join(instructions, betweenMessages), messages, nil
}

func outOfTurn(t turn, where string) *Error {
	param := t.param + ".role"
	return invalid(param, codeUnsupportedValue, "Unsupported value: '%s' is '%s', but the conversation must %s with the role 'user'.", param, t.role, where)
}
