package admission

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Bounds of stopSequences, well within those of Converse: 2,500 of any length,
// none empty (Smithy model of bedrock-runtime in botocore 1.43.11).
const (
	maxStopSequences      = 16
	maxStopSequenceLength = 256 // bytes
)

// Model is what a request may ask of the model, and what it gets by default.
type Model struct {
	ID          string
	Allowed     []string // ids that a request may name
	MaxTokens   int      // the most, and the default
	Temperature *float64 // default, for models that take it; nil: the model's own
	TopP        *float64 // default, for models that take it; nil: the model's own
	System      string   // operator's system text; "": none
	AllowSystem bool     // a request may add its own
}

// Submission is a valid body.
type Submission struct {
	Input       life.Input
	Model       life.ModelParameters
	MediaTokens int64 // to reserve for images and documents
}

// Parse reads the body of POST /requests. The error names every field that is
// not valid.
func (m Model) Parse(body []byte) (Submission, *httpapi.Error) {
	if len(body) > protocol.MaxBodyBytes {
		return Submission{}, httpapi.NewError(protocol.CodePayloadTooLarge, fmt.Sprintf("The body is larger than %d bytes.", protocol.MaxBodyBytes))
	}
	var p problems
	switch {
	case !utf8.Valid(body):
		p.add("body", "must be valid UTF-8")
	case !json.Valid(body):
		p.add("body", "must be valid JSON")
	}
	if len(p.fields) > 0 {
		return Submission{}, httpapi.Invalid(p.fields...)
	}
	request := p.request(body, m)
	if len(p.fields) > 0 {
		return Submission{}, httpapi.Invalid(p.fields...)
	}
	return m.submission(request)
}

// request reads the members of a body. What is wrong with them is collected.
func (p *problems) request(body []byte, m Model) protocol.SubmitRequest {
	var r protocol.SubmitRequest
	list, err := jsonobject.Members(body)
	if err != nil {
		p.add("body", "%v", err)
		return r
	}
	for _, f := range list {
		switch f.Name {
		case "messages":
			r.Messages = p.messages(f.Value)
		case "prompt":
			r.Prompt = p.filled(f.Name, f.Value)
		case "system":
			r.System = p.filled(f.Name, f.Value)
			if !m.AllowSystem {
				p.add(f.Name, "is not allowed here")
			}
		case "model":
			r.Model = p.filled(f.Name, f.Value)
		case "maxTokens":
			r.MaxTokens = p.whole(f.Name, f.Value, m.MaxTokens)
		case "temperature":
			r.Temperature = p.sampling(f.Name, f.Value)
		case "topP":
			r.TopP = p.sampling(f.Name, f.Value)
		case "stopSequences":
			r.StopSequences = p.stopSequences(f.Name, f.Value)
		case "tools":
			r.Tools = p.tools(f.Name, f.Value)
		case "toolChoice":
			r.ToolChoice = p.toolChoice(f.Name, f.Value)
		case "reasoning":
			r.Reasoning = p.reasoning(f.Name, f.Value)
		case "cache":
			r.Cache = p.flag(f.Name, f.Value)
		default:
			p.add(quoteField(f.Name), "is not a known field")
		}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(list, func(m jsonobject.Member) bool { return m.Name == name })
	}
	p.onePrompt(has)
	p.toolsFit(r, has)
	return r
}

// onePrompt checks that exactly one of messages and prompt is there.
func (p *problems) onePrompt(has func(string) bool) {
	switch {
	case has("messages") && has("prompt"):
		p.add("prompt", "must not be given together with messages")
	case !has("messages") && !has("prompt"):
		p.add("messages", "must be given, or else prompt")
	}
}

// filled reads a string that is not blank.
func (p *problems) filled(field string, raw json.RawMessage) string {
	s, ok := p.text(field, raw)
	if ok && strings.TrimSpace(s) == "" {
		p.add(field, "must not be blank")
	}
	return s
}

// messages reads a conversation: roles alternate, and the user has the first
// and the last word.
func (p *problems) messages(raw json.RawMessage) []protocol.Message {
	list, ok := p.array("messages", raw)
	if !ok {
		return nil
	}
	if len(list) == 0 {
		p.add("messages", "must not be empty")
	}
	messages := make([]protocol.Message, len(list))
	for i, raw := range list {
		messages[i] = p.message(fmt.Sprintf("messages[%d]", i), raw, roleAt(i))
		if want := roleAt(i); messages[i].Role != want && messages[i].Role != "" {
			p.add(fmt.Sprintf("messages[%d].role", i), "must be %s, got %s: roles alternate, beginning with user", want, jsonobject.Quote(messages[i].Role))
		}
	}
	if len(list) > 0 && len(list)%2 == 0 {
		p.add("messages", "must end with a message of the user")
	}
	p.conversation(messages)
	return messages
}

func roleAt(i int) string {
	if i%2 == 0 {
		return protocol.RoleUser
	}
	return protocol.RoleAssistant
}

// message reads the message of a role. One of another role is told of elsewhere.
func (p *problems) message(field string, raw json.RawMessage, role string) (m protocol.Message) {
	list, err := jsonobject.Members(raw)
	if err != nil {
		p.add(field, "%v", err)
		return m
	}
	p.known(field, list, []string{"role", "content"})
	for _, f := range list {
		name := field + "." + f.Name
		switch f.Name {
		case "role":
			m.Role, _ = p.text(name, f.Value)
			if m.Role == "" {
				p.add(name, "must be user or assistant, got %s", jsonobject.Show(f.Value))
			}
		case "content":
			p.content(&m, name, f.Value, role)
		}
	}
	return m
}

// content reads a text or blocks.
func (p *problems) content(m *protocol.Message, field string, raw json.RawMessage, role string) {
	switch {
	case raw[0] != '[':
		m.Content = p.filled(field, raw)
	case role == protocol.RoleAssistant:
		m.Blocks = p.blocks(field, raw, assistantBlocks)
	default:
		m.Blocks = p.blocks(field, raw, userBlocks)
	}
}

func (p *problems) stopSequences(field string, raw json.RawMessage) []string {
	list, ok := p.array(field, raw)
	if !ok {
		return nil
	}
	if len(list) > maxStopSequences {
		p.add(field, "must hold at most %d, got %d", maxStopSequences, len(list))
		return nil
	}
	sequences := make([]string, len(list))
	for i, raw := range list {
		name := fmt.Sprintf("%s[%d]", field, i)
		sequences[i], ok = p.text(name, raw)
		switch n := len(sequences[i]); {
		case !ok:
		case n == 0 || n > maxStopSequenceLength:
			p.add(name, "must have 1 to %d bytes, got %d", maxStopSequenceLength, n)
		case strings.TrimSpace(sequences[i]) == "":
			p.add(name, "must not be blank: models refuse it")
		}
	}
	return sequences
}

// quoteField names a field of the caller's own without letting it grow.
func quoteField(name string) string { return strings.Trim(jsonobject.Quote(name), `"`) }

// submission applies the operator's defaults.
func (m Model) submission(r protocol.SubmitRequest) (Submission, *httpapi.Error) {
	s := Submission{
		Input: life.Input{Messages: r.Messages, StopSequences: r.StopSequences, Tools: r.Tools, ToolChoice: r.ToolChoice, Cache: r.Cache},
		Model: life.ModelParameters{ModelID: m.ID, MaxTokens: m.MaxTokens},
	}
	if r.Model != "" {
		if !slices.Contains(m.Allowed, r.Model) {
			return Submission{}, httpapi.NewError(protocol.CodeModelNotAllowed, "The model is not one of those allowed here.")
		}
		s.Model.ModelID = r.Model
	}
	if r.Prompt != "" {
		s.Input.Messages = []protocol.Message{{Role: protocol.RoleUser, Content: r.Prompt}}
	}
	if r.Reasoning != nil {
		s.Input.Effort = r.Reasoning.Effort
	}
	for _, block := range []string{m.System, r.System} {
		if block != "" {
			s.Input.System = append(s.Input.System, block)
		}
	}
	if r.MaxTokens != nil {
		s.Model.MaxTokens = *r.MaxTokens
	}
	if incapable := capable(s.Input, s.Model, m.System != ""); incapable != nil {
		return Submission{}, incapable
	}
	if refused := m.suit(r, &s.Model); len(refused) > 0 {
		return Submission{}, httpapi.Invalid(refused...)
	}
	return s, nil
}
