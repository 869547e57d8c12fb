package openai

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/protocol"
)

// Values of tool_choice.
const (
	choiceNone     = "none"
	choiceAuto     = "auto"
	choiceRequired = "required"
)

// tool is a tool as it is given.
type tool struct {
	kind string
	protocol.Tool
	given bool // function is there
}

var toolFields = []field[tool]{
	{name: "type", note: "`function`", read: func(t *tool, param string, value json.RawMessage) (e *Error) {
		t.kind, e = onlyFunction(param, value)
		return e
	}},
	{name: "function", read: func(t *tool, param string, value json.RawMessage) *Error {
		t.given = true
		return readObject(functionFields, &t.Tool, param, value)
	}},
	{name: "custom"},
}

var functionFields = []field[protocol.Tool]{
	{name: "name", read: func(t *protocol.Tool, param string, value json.RawMessage) (e *Error) {
		t.Name, e = filledText(param, value)
		return e
	}},
	{name: "description", read: readDescription},
	{name: "parameters", note: "the JSON Schema of an object; by default one without properties", read: readParameters},
	{name: "strict", note: "Converse promises nothing about the arguments", nothing: []any{false}},
}

func readTools(r *request, param string, value json.RawMessage) *Error {
	return readEach(toolFields, param, value, func(t tool, name string) *Error {
		switch {
		case t.kind == "":
			return missing(name + ".type")
		case !t.given:
			return missing(name + ".function")
		case t.Name == "":
			return missing(name + ".function.name")
		case t.InputSchema == nil:
			t.InputSchema = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		r.Submit.Tools = append(r.Submit.Tools, t.Tool)
		for _, member := range [][2]string{{"", ""}, {".name", ".function.name"}, {".description", ".function.description"}, {".inputSchema", ".function.parameters"}} {
			r.Names[name+member[0]] = name + member[1]
		}
		return nil
	})
}

// readDescription leaves a blank one out, which says nothing.
func readDescription(t *protocol.Tool, param string, value json.RawMessage) *Error {
	said, e := optional(value, func() (string, *Error) { return text(param, value) })
	if e == nil && said != nil && strings.TrimSpace(*said) != "" {
		t.Description = *said
	}
	return e
}

func readParameters(t *protocol.Tool, param string, value json.RawMessage) *Error {
	if isNull(value) {
		return nil
	}
	if _, err := jsonobject.Members(value); err != nil {
		return invalid(param, codeInvalidType, "Invalid '%s': it %v.", param, err)
	}
	t.InputSchema = value
	return nil
}

// choiceOfTool is a tool_choice that names a function.
type choiceOfTool struct {
	kind, name string
	given      bool // function is there
}

var choiceFields = []field[choiceOfTool]{
	{name: "type", note: "`function`", read: func(c *choiceOfTool, param string, value json.RawMessage) (e *Error) {
		c.kind, e = onlyFunction(param, value)
		return e
	}},
	{name: "function", read: func(c *choiceOfTool, param string, value json.RawMessage) *Error {
		c.given = true
		return readObject(chosenFields, c, param, value)
	}},
	{name: "custom"},
	{name: "allowed_tools"},
}

var chosenFields = []field[choiceOfTool]{
	{name: "name", read: func(c *choiceOfTool, param string, value json.RawMessage) (e *Error) {
		c.name, e = filledText(param, value)
		return e
	}},
}

func readToolChoice(r *request, param string, value json.RawMessage) *Error {
	switch {
	case isNull(value):
		return nil
	case value[0] != '"':
		return readChosenTool(r, param, value)
	}
	choice, e := text(param, value)
	if e != nil {
		return e
	}
	switch choice {
	case choiceNone:
		r.noTools = true
	case choiceAuto:
	case choiceRequired:
		r.Submit.ToolChoice = &protocol.ToolChoice{Mode: protocol.ToolChoiceAny}
	default:
		return invalid(param, codeInvalidValue, "Invalid value: '%s'. Supported values of '%s' are: 'none', 'auto', 'required' and a function.", unquoted(choice), param)
	}
	return nil
}

func readChosenTool(r *request, param string, value json.RawMessage) *Error {
	var c choiceOfTool
	if e := readObject(choiceFields, &c, param, value); e != nil {
		return e
	}
	switch {
	case c.kind == "":
		return missing(param + ".type")
	case !c.given:
		return missing(param + ".function")
	case c.name == "":
		return missing(param + ".function.name")
	}
	r.Submit.ToolChoice = &protocol.ToolChoice{Name: c.name}
	return nil
}

func readParallelToolCalls(r *request, param string, value json.RawMessage) *Error {
	allowed, e := flag(param, value)
	r.oneCall = e == nil && !allowed && !isNull(value)
	return e
}

// toolsFit checks what the parameters of tools ask for together. Converse cannot
// be told to use no tool: none are then given.
func (r *request) toolsFit() *Error {
	chosen := r.Submit.ToolChoice
	switch {
	case len(r.Submit.Tools) == 0 && chosen != nil:
		return invalid("tool_choice", codeInvalidValue, "'tool_choice' is only allowed when 'tools' are specified.")
	case len(r.Submit.Tools) == 0:
		return nil
	case r.oneCall:
		return invalid("parallel_tool_calls", codeUnsupportedValue, "Unsupported value: 'parallel_tool_calls' does not support false here: Converse does not bound the calls of an answer.")
	case chosen != nil && chosen.Name != "" && !slices.ContainsFunc(r.Submit.Tools, func(t protocol.Tool) bool { return t.Name == chosen.Name }):
		return invalid("tool_choice.function.name", codeInvalidValue, "Invalid value: '%s'. 'tool_choice.function.name' must be the name of one of the 'tools'.", unquoted(chosen.Name))
	case r.noTools && slices.ContainsFunc(r.turns, func(t turn) bool { return len(t.calls) > 0 }):
		return invalid("tool_choice", codeUnsupportedValue, "Unsupported value: 'tool_choice' does not support 'none' in a conversation with 'tool_calls': Converse then wants the tools, and the model may use them.")
	case r.noTools:
		r.Submit.Tools = nil
	}
	return nil
}

// readReasoningEffort reads how much the model is to reason. Which models can is
// a matter of the admission.
func readReasoningEffort(r *request, param string, value json.RawMessage) *Error {
	if isNull(value) {
		return nil
	}
	effort, e := text(param, value)
	if e != nil {
		return e
	}
	switch effort {
	case "none":
	case protocol.EffortLow, protocol.EffortMedium, protocol.EffortHigh:
		r.Submit.Reasoning = &protocol.Reasoning{Effort: effort}
	default:
		return invalid(param, codeUnsupportedValue, "Unsupported value: '%s' does not support '%s' here. Supported values are: 'none', 'low', 'medium' and 'high'.", param, unquoted(effort))
	}
	return nil
}
