package openai

import (
	"encoding/json"
	"strings"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/protocol"
)

const typeFunction = "function"

// call is a use of a tool, as an assistant's message has it.
type call struct {
	id, kind string
	function function
	given    bool // function is there
}

// function is what a call calls.
type function struct{ name, arguments string }

var toolCallFields = []field[call]{
	{name: "id", read: func(c *call, param string, value json.RawMessage) (e *Error) {
		c.id, e = filledText(param, value)
		return e
	}},
	{name: "type", note: "`function`", read: func(c *call, param string, value json.RawMessage) (e *Error) {
		c.kind, e = onlyFunction(param, value)
		return e
	}},
	{name: "function", read: func(c *call, param string, value json.RawMessage) *Error {
		c.given = true
		return readObject(calledFields, &c.function, param, value)
	}},
	{name: "custom"},
	{name: "index", note: "the order is that of the array", ignored: true, read: ignoreNumber[call]},
}

var calledFields = []field[function]{
	{name: "name", read: func(f *function, param string, value json.RawMessage) (e *Error) {
		f.name, e = filledText(param, value)
		return e
	}},
	{name: "arguments", note: "a JSON object as a string; an empty string is `{}`", read: func(f *function, param string, value json.RawMessage) (e *Error) {
		f.arguments, e = text(param, value)
		return e
	}},
	{name: "parsed_arguments", note: "what clients add to a call that they have read", ignored: true, read: ignoreAll[function]},
}

// onlyFunction reads the type of a tool, of which Converse has one.
func onlyFunction(param string, value json.RawMessage) (string, *Error) {
	kind, e := text(param, value)
	if e == nil && kind != typeFunction {
		e = invalid(param, codeUnsupportedValue, "Unsupported value: '%s' does not support '%s' here. The supported value is 'function'.", param, unquoted(kind))
	}
	return kind, e
}

func readToolCalls(t *turn, param string, value json.RawMessage) *Error {
	return readEach(toolCallFields, param, value, func(c call, name string) *Error {
		b, e := c.use(name)
		if e == nil {
			t.calls = append(t.calls, b)
		}
		return e
	})
}

func (c call) use(param string) (placed, *Error) {
	switch {
	case c.id == "":
		return placed{}, missing(param + ".id")
	case !c.given:
		return placed{}, missing(param + ".function")
	case c.function.name == "":
		return placed{}, missing(param + ".function.name")
	}
	input, e := argumentsOf(param+".function.arguments", c.function.arguments)
	return placed{
		Block: protocol.Block{Type: protocol.BlockToolUse, ToolUseID: c.id, Name: c.function.name, Input: input},
		param: param,
		fields: map[string]string{
			"toolUseId": ".id", "name": ".function.name", "input": ".function.arguments",
		},
	}, e
}

func argumentsOf(param, arguments string) (json.RawMessage, *Error) {
	if strings.TrimSpace(arguments) == "" {
		return json.RawMessage("{}"), nil
	}
	raw := json.RawMessage(arguments)
	if !json.Valid(raw) {
		return nil, invalid(param, codeInvalidValue, "Invalid '%s': it must be a JSON object, as a string.", param)
	}
	if _, err := jsonobject.Members(raw); err != nil {
		return nil, invalid(param, codeInvalidValue, "Invalid '%s': it %v, as a string.", param, err)
	}
	return raw, nil
}

func readCallID(t *turn, param string, value json.RawMessage) *Error {
	if isNull(value) {
		return nil
	}
	id, e := filledText(param, value)
	t.callID = &id
	return e
}

// result is the message of a tool as a block.
func (t turn) result() placed {
	b := placed{
		Block: protocol.Block{Type: protocol.BlockToolResult, ToolUseID: *t.callID},
		param: t.param,
		fields: map[string]string{
			"toolUseId": ".tool_call_id", "content": ".content",
		},
	}
	for _, part := range t.content {
		b.Content = append(b.Content, part.Block)
	}
	if b.Content == nil { // Converse wants something
		b.Content = []protocol.Block{{Type: protocol.BlockJSON, JSON: json.RawMessage(`{"result":""}`)}}
	}
	return b
}
