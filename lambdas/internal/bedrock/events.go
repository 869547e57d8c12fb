package bedrock

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// transcript gathers what the events of a stream say.
type transcript struct {
	onDelta   func(model.Delta)
	open      map[int32]*whole // by the index of the block
	malformed bool             // a use of a tool has an input that is no object
	stopped   bool
	answer    model.Answer
}

// hear takes one event as the SDK decodes it. One of a kind that this code does
// not know is passed on as what it is: it may have a price, and it ends nothing.
func (t *transcript) hear(event smithy.Deserializable) {
	switch e := event.(type) {
	case *types.ContentBlockStartEvent:
		t.begin(aws.ToInt32(e.ContentBlockIndex), e.Start)
	case *types.ContentBlockDeltaEvent:
		t.delta(aws.ToInt32(e.ContentBlockIndex), e.Delta)
	case *types.ContentBlockStopEvent:
		t.end(aws.ToInt32(e.ContentBlockIndex))
	case *types.MessageStopEvent:
		for _, index := range slices.Sorted(maps.Keys(t.open)) {
			t.end(index)
		}
		t.stopped, t.answer.StopReason = true, string(e.StopReason)
	case *types.ConverseStreamMetadataEvent:
		t.report(e.Usage)
	case *eventstream.UnknownUnionMember:
		t.onDelta(model.Delta{Kind: model.Kind(e.Tag)})
	}
}

// text takes a piece of text.
func (t *transcript) text(text string) {
	t.onDelta(model.Delta{Kind: model.KindText, Text: text})
}

// begin takes the start of a block. That of a text is not announced.
func (t *transcript) begin(index int32, start types.ContentBlockStart) {
	switch s := start.(type) {
	case nil:
	case *types.ContentBlockStartMemberToolUse:
		name := aws.ToString(s.Value.Name)
		t.block(index).use = &model.ToolUse{ID: aws.ToString(s.Value.ToolUseId), Name: name}
		t.onDelta(model.Delta{Kind: model.KindToolUse, Size: len(name)})
	default:
		t.unknown(start)
	}
}

func (t *transcript) delta(index int32, delta types.ContentBlockDelta) {
	switch d := delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		t.text(d.Value)
	case *types.ContentBlockDeltaMemberReasoningContent:
		t.reasoning(index, d.Value)
	case *types.ContentBlockDeltaMemberToolUse:
		input := aws.ToString(d.Value.Input)
		t.block(index).data = append(t.block(index).data, input...)
		t.onDelta(model.Delta{Kind: model.KindToolUse, Size: len(input)})
	default:
		t.unknown(delta)
	}
}

// reasoning takes a piece of reasoning. Where its text is kept back, the
// signature grows with it, so that it is counted for it.
func (t *transcript) reasoning(index int32, delta types.ReasoningContentBlockDelta) {
	switch d := delta.(type) {
	case *types.ReasoningContentBlockDeltaMemberText:
		t.onDelta(model.Delta{Kind: model.KindReasoning, Text: d.Value})
	case *types.ReasoningContentBlockDeltaMemberSignature:
		t.onDelta(model.Delta{Kind: model.KindReasoning, Signature: d.Value})
	case *types.ReasoningContentBlockDeltaMemberRedactedContent:
		t.block(index).data = append(t.block(index).data, d.Value...)
		t.onDelta(model.Delta{Kind: model.KindReasoning, Size: len(d.Value)})
	default:
		t.unknown(delta)
	}
}

// leastSize is one token: of a piece that the SDK does not read, nothing more is
// known than that it came.
const leastSize = 4

// unknown takes a member of a union that this code does not know; nil is one
// that the SDK does not know either.
func (t *transcript) unknown(member any) {
	kind := "contentBlockDelta"
	if member != nil {
		kind = strings.TrimPrefix(fmt.Sprintf("%T", member), "*types.")
	}
	t.onDelta(model.Delta{Kind: model.Kind(kind), Size: leastSize})
}

// report takes one account of the usage. There should be one; if there are more,
// none takes back what another has said.
func (t *transcript) report(u *types.TokenUsage) {
	if u == nil {
		return
	}
	if t.answer.Usage == nil {
		t.answer.Usage = &protocol.TokenUsage{}
	}
	t.answer.Usage.InputTokens = max(t.answer.Usage.InputTokens, count(u.InputTokens)+count(u.CacheReadInputTokens)+count(u.CacheWriteInputTokens))
	t.answer.Usage.CacheReadTokens = max(t.answer.Usage.CacheReadTokens, count(u.CacheReadInputTokens))
	t.answer.Usage.CacheWriteTokens = max(t.answer.Usage.CacheWriteTokens, count(u.CacheWriteInputTokens))
	t.answer.Usage.OutputTokens = max(t.answer.Usage.OutputTokens, count(u.OutputTokens))
}

// count is a reported number of tokens; one that cannot be is none.
func count(n *int32) int64 { return max(0, int64(aws.ToInt32(n))) }
