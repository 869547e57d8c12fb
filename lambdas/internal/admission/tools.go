package admission

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/protocol"
)

// maxTools bounds the tools of a request. Converse has no bound; OpenAI's API has
// this one.
const maxTools = 128

// tools reads what the model may use.
func (p *problems) tools(field string, raw json.RawMessage) []protocol.Tool {
	list, ok := p.array(field, raw)
	if !ok {
		return nil
	}
	if n := len(list); n < 1 || n > maxTools {
		p.add(field, "must hold 1 to %d tools, got %d", maxTools, n)
		return nil
	}
	tools := make([]protocol.Tool, len(list))
	for i, raw := range list {
		name := fmt.Sprintf("%s[%d]", field, i)
		tools[i] = p.tool(name, raw)
		same := func(t protocol.Tool) bool { return t.Name == tools[i].Name && t.Name != "" }
		if slices.ContainsFunc(tools[:i], same) {
			p.add(name+".name", "must differ from that of another tool, got %s", jsonobject.Quote(tools[i].Name))
		}
	}
	return tools
}

func (p *problems) tool(field string, raw json.RawMessage) (t protocol.Tool) {
	list, err := jsonobject.Members(raw)
	if err != nil {
		p.add(field, "%v", err)
		return t
	}
	p.known(field, list, []string{"name", "description?", "inputSchema"})
	for _, m := range list {
		switch name := field + "." + m.Name; m.Name {
		case "name":
			t.Name = p.blockName(name, m.Value, protocol.BlockToolUse)
		case "description":
			t.Description = p.filled(name, m.Value)
		case "inputSchema":
			t.InputSchema = p.inputSchema(name, m.Value)
		}
	}
	return t
}

// inputSchema reads a JSON Schema, of which Converse asks that it is one of an
// object. The rest is for the model to judge.
func (p *problems) inputSchema(field string, raw json.RawMessage) json.RawMessage {
	schema := p.object(field, raw)
	if schema == nil {
		return nil
	}
	list, _ := jsonobject.Members(schema)
	for _, m := range list {
		if m.Name == "type" && string(m.Value) == `"object"` {
			return schema
		}
	}
	p.add(field+".type", `must be "object"`)
	return nil
}

// toolChoice reads auto, any or the name of a tool.
func (p *problems) toolChoice(field string, raw json.RawMessage) *protocol.ToolChoice {
	if text, ok := jsonobject.Text(raw); ok {
		if text != protocol.ToolChoiceAuto && text != protocol.ToolChoiceAny {
			p.add(field, `must be %q, %q or {"name": the name of a tool}, got %s`, protocol.ToolChoiceAuto, protocol.ToolChoiceAny, jsonobject.Quote(text))
		}
		return &protocol.ToolChoice{Mode: text}
	}
	list, err := jsonobject.Members(raw)
	if err != nil {
		p.add(field, `must be %q, %q or {"name": the name of a tool}`, protocol.ToolChoiceAuto, protocol.ToolChoiceAny)
		return nil
	}
	p.known(field, list, []string{"name"})
	choice := &protocol.ToolChoice{}
	for _, m := range list {
		if m.Name == "name" {
			choice.Name = p.blockName(field+".name", m.Value, protocol.BlockToolUse)
		}
	}
	return choice
}

// toolsFit checks that tools are there for whoever speaks of them.
func (p *problems) toolsFit(r protocol.SubmitRequest, given func(string) bool) {
	if given("tools") {
		if choice := r.ToolChoice; choice != nil && choice.Name != "" && len(r.Tools) > 0 &&
			!slices.ContainsFunc(r.Tools, func(t protocol.Tool) bool { return t.Name == choice.Name }) {
			p.add("toolChoice.name", "must be that of one of tools, got %s", jsonobject.Quote(choice.Name))
		}
		return
	}
	if given("toolChoice") {
		p.add("tools", "must be given together with toolChoice")
	} else if usesTools(r.Messages) {
		p.add("tools", "must be given with messages that use tools")
	}
}

var efforts = []string{protocol.EffortLow, protocol.EffortMedium, protocol.EffortHigh}

// reasoning reads how much the model is to reason.
func (p *problems) reasoning(field string, raw json.RawMessage) *protocol.Reasoning {
	list, err := jsonobject.Members(raw)
	if err != nil {
		p.add(field, "%v", err)
		return nil
	}
	p.known(field, list, []string{"effort"})
	r := &protocol.Reasoning{}
	for _, m := range list {
		if m.Name != "effort" {
			continue
		}
		if effort, ok := p.text(field+".effort", m.Value); !ok {
			continue
		} else if r.Effort = effort; !slices.Contains(efforts, effort) {
			p.add(field+".effort", "must be one of %v, got %s", efforts, jsonobject.Quote(effort))
		}
	}
	return r
}

func (p *problems) flag(field string, raw json.RawMessage) bool {
	if s := string(raw); s != "true" && s != "false" {
		p.add(field, "must be true or false")
	}
	return string(raw) == "true"
}
