package modelfamily

import "fmt"

// Reasoning says how a family is made to reason, and whether it takes reasoning
// back in a conversation.
type Reasoning int

// The ways.
const (
	// ReasoningUnknown cannot be asked for, and is given back as it came.
	ReasoningUnknown Reasoning = iota
	// ReasoningNone can neither be asked for nor given back.
	ReasoningNone
	// ReasoningAlways happens whether it is asked for or not, and is not given
	// back.
	ReasoningAlways
	// ReasoningEffort is reasoning_effort, and is not given back.
	ReasoningEffort
	// ReasoningNova is reasoningConfig of Nova 2.
	ReasoningNova
	// ReasoningBudget is Claude's thinking with a budget of tokens.
	ReasoningBudget
	// ReasoningAdaptive is Claude's thinking as it sees fit, at an effort.
	ReasoningAdaptive
	// ReasoningAdaptiveShown is the same of models that do not show their thinking
	// unless they are told to.
	ReasoningAdaptiveShown
)

// String says for the documentation what an effort becomes.
func (r Reasoning) String() string {
	return []string{
		"unknown", "none", "always, not given back", "`reasoning_effort`, not given back", "`reasoningConfig`; high is sent as medium",
		"`thinking` with a budget", "adaptive `thinking`", "adaptive `thinking`, shown",
	}[r]
}

// Efforts of reasoning, as the protocol has them.
const (
	low    = "low"
	medium = "medium"
	high   = "high"
)

// Bounds of Claude's budget, which must be below the answer's tokens (Bedrock
// user guide, claude-messages-extended-thinking). The shares of the answer's
// tokens are those of OpenRouter (reasoning-tokens).
const (
	leastBudget = 1_024
	mostBudget  = 32_000
)

var budgetShares = map[string]int{low: 20, medium: 50, high: 80} // percent

// WhyNotReason says why the family cannot be asked to reason in an answer of at
// most so many tokens; "" if it can.
func (f Family) WhyNotReason(maxTokens int) string {
	switch f.Reasoning {
	case ReasoningUnknown:
		return "it is not known how it is made to reason"
	case ReasoningNone:
		return "it does not reason"
	case ReasoningAlways:
		return "it reasons always, and as much as it likes"
	case ReasoningBudget:
		if maxTokens <= leastBudget {
			return fmt.Sprintf("it reasons with more than %d maxTokens, got %d", leastBudget, maxTokens)
		}
	}
	return ""
}

// ReasoningFields are the additionalModelRequestFields of a request that asks
// for reasoning at an effort, in an answer of at most so many tokens; nil if the
// family cannot be asked.
func (f Family) ReasoningFields(effort string, maxTokens int) map[string]any {
	if f.WhyNotReason(maxTokens) != "" {
		return nil
	}
	switch f.Reasoning {
	case ReasoningEffort:
		return map[string]any{"reasoning_effort": effort}
	case ReasoningNova:
		return map[string]any{"reasoningConfig": map[string]any{"type": "enabled", "maxReasoningEffort": novaEffort(effort)}}
	case ReasoningBudget:
		return map[string]any{"thinking": map[string]any{"type": "enabled", "budget_tokens": budget(effort, maxTokens)}}
	case ReasoningAdaptive:
		return adaptive(effort, map[string]any{"type": "adaptive"})
	default:
		return adaptive(effort, map[string]any{"type": "adaptive", "display": "summarized"})
	}
}

// novaEffort is never high: that refuses maxTokens, and an answer without a
// bound could cost whatever it likes.
func novaEffort(effort string) string {
	if effort == high {
		return medium
	}
	return effort
}

func budget(effort string, maxTokens int) int {
	return min(max(maxTokens*budgetShares[effort]/100, leastBudget), mostBudget)
}

func adaptive(effort string, thinking map[string]any) map[string]any {
	return map[string]any{"thinking": thinking, "output_config": map[string]any{"effort": effort}}
}

// thinks reports whether reasoning is Claude's, which takes neither sampling
// parameters nor a forced tool beside it (Anthropic, extended-thinking).
func (f Family) thinks() bool { return f.Reasoning >= ReasoningBudget }

// WhileReasoning is the family as it is when it is asked to reason.
func (f Family) WhileReasoning() Family {
	if f.thinks() {
		f.Sampling = SamplingNone
		f.Lacks |= ToolChoiceAny | ToolChoiceTool
	}
	return f
}

// WhyNoReasoningBack says why the family refuses reasoning in a conversation; ""
// if it does not.
func (f Family) WhyNoReasoningBack() string {
	if f.Reasoning == ReasoningNone {
		return "it does not reason"
	}
	return ""
}

// TakesReasoningBack reports whether reasoning of a conversation is sent to the
// family: it is left out for one that reasons and does not want it.
func (f Family) TakesReasoningBack() bool {
	return f.Reasoning != ReasoningNone && f.Reasoning != ReasoningAlways && f.Reasoning != ReasoningEffort
}
