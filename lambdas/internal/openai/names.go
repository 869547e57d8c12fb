package openai

import "strings"

// Names lead from fields of a submission back to the parameters that they were
// made of, so that a refusal speaks of what the caller has sent.
type Names map[string]string

// parameters gives the fields of this service the names that they have here,
// where they have one whatever is asked.
var parameters = Names{
	"maxTokens":        "max_tokens",
	"topP":             "top_p",
	"stopSequences":    "stop",
	"system":           "messages",
	"toolChoice":       "tool_choice",
	"toolChoice.name":  "tool_choice.function.name",
	"reasoning":        "reasoning_effort",
	"reasoning.effort": "reasoning_effort",
}

// parameterOf translates the path of a field: stopSequences[1] is stop[1]. What
// has no name of its own is named by what it is part of.
func (n Names) parameterOf(field string) string {
	for path := field; path != ""; path = parent(path) {
		if param, ok := n[path]; ok {
			return param
		}
	}
	if param, ok := parameters[field]; ok {
		return param
	}
	name, index := field, ""
	if i := strings.IndexAny(field, "[."); i > 0 {
		name, index = field[:i], field[i:]
	}
	if name == "body" {
		return ""
	}
	if param, ok := parameters[name]; ok {
		name = param
	}
	return name + index
}

// parent is the path of what a field is part of, "" if it is part of nothing.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

// labelOf names a field in a sentence.
func (n Names) labelOf(field string) string {
	switch field {
	case "maxTokens":
		return "'max_tokens' or 'max_completion_tokens'"
	case "system":
		return "A message with the role 'system' or 'developer'"
	case "body":
		return "The body"
	}
	return "'" + n.parameterOf(field) + "'"
}
