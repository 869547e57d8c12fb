package bedrock

import (
	"encoding/json"
	"fmt"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

// defaultReasoning is how many tokens of reasoning come where a request asks for
// reasoning and its script does not say.
const defaultReasoning = 30

// additionalFields are the fields of some families that Converse passes on.
type additionalFields struct {
	Thinking *struct {
		Type   string `json:"type"`
		Budget *int   `json:"budget_tokens"`
	} `json:"thinking"`
	OutputConfig *struct {
		Effort string `json:"effort"`
	} `json:"output_config"`
	Nova *struct {
		Type   string `json:"type"`
		Effort string `json:"maxReasoningEffort"`
	} `json:"reasoningConfig"`
	Effort string `json:"reasoning_effort"`
}

// reasons reports whether the request asks for reasoning.
func (f additionalFields) reasons() bool {
	return f.Thinking != nil && f.Thinking.Type != "disabled" || f.Nova != nil && f.Nova.Type == "enabled" || f.Effort != ""
}

// checkAdditional refuses fields that models of the family do not know, and what
// they refuse beside them.
func (r *request) checkAdditional(family modelfamily.Family) *awsapi.Error {
	if len(r.Additional) == 0 || family.Name == "" {
		return nil
	}
	var given map[string]json.RawMessage
	var f additionalFields
	if json.Unmarshal(r.Additional, &given) != nil || json.Unmarshal(r.Additional, &f) != nil {
		return validation("additionalModelRequestFields must be an object that the model takes.")
	}
	known := family.ReasoningFields("low", 1<<16)
	for name := range given {
		if _, ok := known[name]; !ok {
			return malformed("#: extraneous key [" + name + "] is not permitted")
		}
	}
	return r.checkReasons(f, family)
}

func (r *request) checkReasons(f additionalFields, family modelfamily.Family) *awsapi.Error {
	most := 0
	if r.Inference.MaxTokens != nil {
		most = *r.Inference.MaxTokens
	}
	adaptive := family.Reasoning == modelfamily.ReasoningAdaptive || family.Reasoning == modelfamily.ReasoningAdaptiveShown
	switch t := f.Thinking; {
	case f.Nova != nil && f.Nova.Effort == "high" && (most > 0 || r.Inference.Temperature != nil || r.Inference.TopP != nil):
		return malformed("maxTokens, temperature and topP must be unset when maxReasoningEffort is high")
	case t == nil || t.Type == "disabled":
		return nil
	case family.Reasoning == modelfamily.ReasoningAdaptiveShown && t.Type == "enabled":
		return validation(`The model returned the following errors: "thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`)
	case !adaptive && t.Type == "adaptive":
		return malformed(`thinking.type: adaptive thinking is not supported on this model`)
	case t.Type == "enabled" && (t.Budget == nil || *t.Budget < 1024):
		return malformed("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
	case t.Type == "enabled" && most > 0 && *t.Budget >= most:
		return malformed("`max_tokens` must be greater than `thinking.budget_tokens`")
	case r.Inference.Temperature != nil && *r.Inference.Temperature != 1:
		return malformed("`temperature` may only be set to 1 when thinking is enabled")
	case r.ToolConfig != nil && r.ToolConfig.Choice != nil && r.ToolConfig.Choice.Auto == nil:
		return malformed("Thinking may not be enabled when tool_choice forces tool use.")
	}
	return nil
}

func malformed(what string) *awsapi.Error {
	return validation(fmt.Sprintf("The model returned the following errors: Malformed input request: %s, please reformat your input and try again.", what))
}

// reasons reports whether the request asks the model to reason.
func (r *request) reasons() bool {
	var f additionalFields
	return len(r.Additional) > 0 && json.Unmarshal(r.Additional, &f) == nil && f.reasons()
}
