package bedrock

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

// toolConfig is what a request says of tools.
type toolConfig struct {
	Tools  []tool `json:"tools"`
	Choice *struct {
		Auto *struct{} `json:"auto"`
		Any  *struct{} `json:"any"`
		Tool *struct {
			Name string `json:"name"`
		} `json:"tool"`
	} `json:"toolChoice"`
}

type tool struct {
	Spec *struct {
		Name        string  `json:"name"`
		Description *string `json:"description"`
		InputSchema struct {
			JSON json.RawMessage `json:"json"`
		} `json:"inputSchema"`
	} `json:"toolSpec"`
	CachePoint *cachePoint `json:"cachePoint"`
}

// toolTokens is what models add of their own for tools.
const toolTokens = 300

func noTools() *awsapi.Error {
	return validation("This model doesn't support tool use in streaming mode.")
}

// checkTools refuses what Bedrock, or a model of the family, refuses of tools.
func (r *request) checkTools(family modelfamily.Family) *awsapi.Error {
	if r.ToolConfig == nil {
		for _, m := range r.Messages {
			if slices.ContainsFunc(m.Content, func(b block) bool { return b.ToolUse != nil || b.ToolResult != nil }) {
				return validation("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
			}
		}
		return nil
	}
	if family.Why(modelfamily.Tools) != "" {
		return noTools()
	}
	names := map[string]bool{}
	for i, t := range r.ToolConfig.Tools {
		if t.CachePoint != nil {
			if refused := checkCachePoint(*t.CachePoint, family, modelfamily.CacheTools); refused != nil {
				return refused
			}
			continue
		}
		if refused := checkTool(fmt.Sprintf("toolConfig.tools.%d.toolSpec", i), t, names); refused != nil {
			return refused
		}
	}
	if len(names) == 0 {
		return constraint("[]", "toolConfig.tools", "Member must have length greater than or equal to 1")
	}
	return r.checkChoice(family, names)
}

func checkTool(place string, t tool, names map[string]bool) *awsapi.Error {
	if t.Spec == nil || !toolName.MatchString(t.Spec.Name) {
		return constraint("", place+".name", "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+")
	}
	var schema struct {
		Type string `json:"type"`
	}
	switch {
	case t.Spec.Description != nil && *t.Spec.Description == "":
		return constraint("", place+".description", "Member must have length greater than or equal to 1")
	case !isObject(t.Spec.InputSchema.JSON) || json.Unmarshal(t.Spec.InputSchema.JSON, &schema) != nil || schema.Type != "object":
		return validation("The value at " + place + ".inputSchema.json.type must be one of the following: object.")
	case names[t.Spec.Name]:
		return validation("The tools have duplicate names: " + t.Spec.Name)
	}
	names[t.Spec.Name] = true
	return nil
}

func (r *request) checkChoice(family modelfamily.Family, names map[string]bool) *awsapi.Error {
	choice := r.ToolConfig.Choice
	switch {
	case choice == nil:
		return nil
	case choice.Any != nil && family.Why(modelfamily.ToolChoiceAny) != "":
		return validation("This model doesn't support the toolConfig.toolChoice.any field. Remove toolConfig.toolChoice.any and try again.")
	case choice.Tool != nil && family.Why(modelfamily.ToolChoiceTool) != "":
		return validation("This model doesn't support the toolConfig.toolChoice.tool field. Remove toolConfig.toolChoice.tool and try again.")
	case choice.Tool != nil && !names[choice.Tool.Name]:
		return validation("The tool that toolConfig.toolChoice.tool names is not among the tools: " + choice.Tool.Name)
	}
	return nil
}

// Call is a use of a tool in a reply.
type Call struct {
	ID, Name string
	Input    []string // pieces of the JSON, a token each
}

// calls are the uses of tools that the script, or the choice of a tool, asks
// for. Who has brought results often enough is answered.
func (r *request) calls(s Script) ([]Call, error) {
	if r.rounds() >= s.Rounds {
		return nil, nil
	}
	names := s.Tools
	if len(names) == 0 {
		names = r.forced()
	}
	calls := make([]Call, len(names))
	for i, name := range names {
		schema, offered := r.schema(name)
		if !offered {
			return nil, fmt.Errorf("script: the request offers no tool %q", name)
		}
		calls[i] = CallOf(r.prompt(), s, i, name, schema)
	}
	return calls, nil
}

// rounds is how many of the user's last messages, in a row, bring results.
func (r *request) rounds() int {
	n := 0
	for _, m := range slices.Backward(r.Messages) {
		if m.Role != "user" {
			continue
		}
		if !slices.ContainsFunc(m.Content, func(b block) bool { return b.ToolResult != nil }) {
			break
		}
		n++
	}
	return n
}

// forced is the tool that the request forces the model to use, if any.
func (r *request) forced() []string {
	if r.ToolConfig == nil || r.ToolConfig.Choice == nil {
		return nil
	}
	switch choice := r.ToolConfig.Choice; {
	case choice.Tool != nil:
		return []string{choice.Tool.Name}
	case choice.Any != nil:
		for _, t := range r.ToolConfig.Tools {
			if t.Spec != nil {
				return []string{t.Spec.Name}
			}
		}
	}
	return nil
}

func (r *request) schema(name string) (json.RawMessage, bool) {
	if r.ToolConfig == nil {
		return nil, false
	}
	for _, t := range r.ToolConfig.Tools {
		if t.Spec != nil && t.Spec.Name == name {
			return t.Spec.InputSchema.JSON, true
		}
	}
	return nil, false
}

// CallOf is the i-th use of a tool that answers a prompt under a script: the
// script's input, or one that the schema of the tool takes.
func CallOf(prompt string, s Script, i int, name string, schema json.RawMessage) Call {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s\x00%d\x00%d", prompt, s.Seed, i) // never fails
	input := s.ToolInput
	if input == "" {
		input = inputFor(schema, prompt)
	}
	return Call{ID: fmt.Sprintf("tooluse_%016x%04x", hash.Sum64(), i), Name: name, Input: slice(input)}
}

// inputFor is an object with a value for each property that a schema has, in the
// order of the names.
func inputFor(schema json.RawMessage, prompt string) string {
	var s struct {
		Properties map[string]struct {
			Type any   `json:"type"`
			Enum []any `json:"enum"`
		} `json:"properties"`
	}
	_ = json.Unmarshal(schema, &s) // what is no schema of properties has none
	words := strings.Fields(prompt)
	input := map[string]any{}
	for name, p := range s.Properties {
		switch {
		case len(p.Enum) > 0:
			input[name] = p.Enum[0]
		case p.Type == "number", p.Type == "integer":
			input[name] = len(words)
		case p.Type == "boolean":
			input[name] = true
		case p.Type == "array":
			input[name] = []any{}
		case p.Type == "object":
			input[name] = map[string]any{}
		default:
			input[name] = strings.Trim(strings.Join(words[max(0, len(words)-1):], ""), ".,;:!?\"'")
		}
	}
	encoded, err := json.Marshal(input)
	if err != nil {
		return "{}" // what was decoded encodes
	}
	return string(encoded)
}

// pieceOfInput is how many characters of an input a token has.
const pieceOfInput = 6

// slice cuts an input into tokens, the first of which is empty, as Bedrock has it.
func slice(input string) []string {
	pieces := []string{""}
	for runes := range slices.Chunk([]rune(input), pieceOfInput) {
		pieces = append(pieces, string(runes))
	}
	return pieces
}
