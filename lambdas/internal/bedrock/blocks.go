package bedrock

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
	"github.com/streaming-service/streaming-service/protocol"
)

// rawDocument is JSON that is sent as it is: with the order of its members, in
// which a model reads them and by which its cache finds them again, and with the
// digits of its numbers.
type rawDocument struct {
	document.Interface // of which nothing else is called

	raw json.RawMessage
}

// MarshalSmithyDocument implements document.Marshaler.
func (d rawDocument) MarshalSmithyDocument() ([]byte, error) { return d.raw, nil }

func messages(turns []protocol.Message, family modelfamily.Family) ([]types.Message, error) {
	list := make([]types.Message, len(turns))
	for i, turn := range turns {
		content, err := contentOf(turn, family)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		list[i] = types.Message{Role: types.ConversationRole(turn.Role), Content: content}
	}
	return list, nil
}

// contentOf are the blocks of a turn, but for those that the model refuses of its
// own answers: blank text, and reasoning that it does not want back.
func contentOf(turn protocol.Message, family modelfamily.Family) ([]types.ContentBlock, error) {
	var list []types.ContentBlock
	for _, b := range turn.All() {
		blank := b.Type == protocol.BlockText && strings.TrimSpace(b.Text) == ""
		unwanted := b.Type == protocol.BlockReasoning && !family.TakesReasoningBack()
		if blank || unwanted {
			continue
		}
		block, err := contentBlock(b)
		if err != nil {
			return nil, err
		}
		list = append(list, block)
	}
	return list, nil
}

func contentBlock(b protocol.Block) (types.ContentBlock, error) {
	switch b.Type {
	case protocol.BlockText:
		return &types.ContentBlockMemberText{Value: b.Text}, nil
	case protocol.BlockImage:
		return &types.ContentBlockMemberImage{Value: image(b)}, nil
	case protocol.BlockDocument:
		return &types.ContentBlockMemberDocument{Value: types.DocumentBlock{
			Name: aws.String(b.Name), Format: types.DocumentFormat(b.Format), Source: &types.DocumentSourceMemberBytes{Value: b.Data},
		}}, nil
	case protocol.BlockToolUse:
		return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
			ToolUseId: aws.String(b.ToolUseID), Name: aws.String(b.Name), Input: rawDocument{raw: b.Input},
		}}, nil
	case protocol.BlockReasoning:
		return &types.ContentBlockMemberReasoningContent{Value: reasoning(b)}, nil
	case protocol.BlockToolResult:
		return toolResult(b)
	}
	return nil, fmt.Errorf("a %s is no block of a message", b.Type)
}

func image(b protocol.Block) types.ImageBlock {
	return types.ImageBlock{Format: types.ImageFormat(b.Format), Source: &types.ImageSourceMemberBytes{Value: b.Data}}
}

func reasoning(b protocol.Block) types.ReasoningContentBlock {
	if b.Redacted != nil {
		return &types.ReasoningContentBlockMemberRedactedContent{Value: b.Redacted}
	}
	text := types.ReasoningTextBlock{Text: aws.String(b.Text)}
	if b.Signature != "" {
		text.Signature = aws.String(b.Signature)
	}
	return &types.ReasoningContentBlockMemberReasoningText{Value: text}
}

// toolResult names the status of a failure only: that of a success is the
// default, and some models take none.
func toolResult(b protocol.Block) (types.ContentBlock, error) {
	result := types.ToolResultBlock{ToolUseId: aws.String(b.ToolUseID)}
	if b.Status == protocol.ToolError {
		result.Status = types.ToolResultStatusError
	}
	for _, part := range b.Content {
		switch part.Type {
		case protocol.BlockText:
			result.Content = append(result.Content, &types.ToolResultContentBlockMemberText{Value: part.Text})
		case protocol.BlockJSON:
			result.Content = append(result.Content, &types.ToolResultContentBlockMemberJson{Value: rawDocument{raw: part.JSON}})
		case protocol.BlockImage:
			result.Content = append(result.Content, &types.ToolResultContentBlockMemberImage{Value: image(part)})
		default:
			return nil, fmt.Errorf("a %s is no part of a tool's result", part.Type)
		}
	}
	return &types.ContentBlockMemberToolResult{Value: result}, nil
}
