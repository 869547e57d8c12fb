package admission

import (
	"fmt"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// capable refuses what the model does not take of a request, block by block.
func capable(in life.Input, model life.ModelParameters, operatorsSystem bool) *httpapi.Error {
	family := modelfamily.Of(model.ModelID)
	if in.Effort != "" {
		family = family.WhileReasoning()
	}
	c := check{family: family}
	c.messages(in.Messages)
	if len(in.System) > 0 {
		c.refuse("system", c.system(operatorsSystem))
	}
	if len(in.Tools) > 0 {
		c.refuse("tools", family.Why(modelfamily.Tools))
	}
	c.choice(in)
	if in.Effort != "" {
		c.refuse("reasoning", family.WhyNotReason(model.MaxTokens))
	}
	if in.Cache {
		c.refuse("cache", family.WhyNotCached())
	}
	if len(c.refusals) == 0 {
		return nil
	}
	e := httpapi.NewError(protocol.CodeModelNotCapable, "The model does not take all of this request.")
	e.Problem.Errors = fieldErrors(model.ModelID, c.refusals)
	return e
}

// check gathers what a family refuses.
type check struct {
	family   modelfamily.Family
	refusals []modelfamily.Refusal
}

func (c *check) refuse(field, why string) {
	if why != "" && len(c.refusals) < maxProblems {
		c.refusals = append(c.refusals, modelfamily.Refusal{Parameter: field, Why: why})
	}
}

func (c *check) messages(messages []protocol.Message) {
	eachBlock(messages, func(field string, b protocol.Block) {
		switch b.Type {
		case protocol.BlockImage:
			c.refuse(field, c.family.Why(modelfamily.Images))
		case protocol.BlockDocument:
			c.refuse(field, c.family.Why(modelfamily.Documents))
		case protocol.BlockToolUse, protocol.BlockToolResult:
			c.refuse(field, c.family.Why(modelfamily.Tools))
		case protocol.BlockReasoning:
			c.refuse(field, c.family.WhyNoReasoningBack())
		}
	})
}

func (c *check) system(operators bool) string {
	why := c.family.Why(modelfamily.System)
	if why != "" && operators {
		return fmt.Sprintf("%s, and this service has one for every request", why)
	}
	return why
}

func (c *check) choice(in life.Input) {
	switch choice := in.ToolChoice; {
	case choice == nil:
	case choice.Name != "":
		c.refuse("toolChoice", c.family.Why(modelfamily.ToolChoiceTool))
	case choice.Mode == protocol.ToolChoiceAny:
		c.refuse("toolChoice", c.family.Why(modelfamily.ToolChoiceAny))
	}
}
