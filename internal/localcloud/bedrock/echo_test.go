package bedrock_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

// TestEcho has the model tell what it was asked, in the order of the blocks.
func TestEcho(t *testing.T) {
	t.Parallel()
	c := serve(t, bedrock.NewScripted(awsapi.Open{}))
	in := &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String("global.amazon.nova-2-lite-v1:0"), ToolConfig: weather(),
		System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "script: echo rate=0"}},
		Messages: []types.Message{
			{Role: "user", Content: []types.ContentBlock{
				&types.ContentBlockMemberText{Value: "Is it \"warm\"?"},
				&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberBytes{Value: []byte("png")}}},
				&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Format: "pdf", Name: aws.String("a b"), Source: &types.DocumentSourceMemberBytes{Value: []byte("pdf")}}},
			}},
			{Role: "assistant", Content: []types.ContentBlock{
				&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{Value: types.ReasoningTextBlock{Text: aws.String("Hm."), Signature: aws.String("c2ln")}}},
				&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: []byte("secret")}},
				&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String("t1"), Name: aws.String("get_weather"), Input: document.NewLazyDocument(map[string]any{"city": "Bonn"})}},
			}},
			{Role: "user", Content: []types.ContentBlock{&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
				ToolUseId: aws.String("t1"), Status: types.ToolResultStatusError, Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "no such city"}},
			}}}},
		},
	}
	want := strings.Join([]string{
		`- user: text "Is it \"warm\"?"`,
		"- user: image png of 3 bytes 8f8cbb7dcf46e0bc7d53265749a6c17d116093a6ba95e442764060c76fd4a86c",
		`- user: document "a b" pdf of 3 bytes c35b21d6ca39aa7cc3b79a705d989f1a6e88b99ab43988d74048799e3db926a3`,
		`- assistant: reasoning "Hm." sealed with "c2ln"`,
		"- assistant: redacted reasoning of 6 bytes",
		`- assistant: use of get_weather {"city":"Bonn"}`,
		`- user: failure text "no such city"`,
	}, "\n")
	if got := converse(t, c, in).text; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRounds has the model use tools again after the first results.
func TestRounds(t *testing.T) {
	t.Parallel()
	c := serve(t, bedrock.NewScripted(awsapi.Open{}))
	in := input("Is it warm?", "script: tool=get_weather rounds=2 tokens=2 rate=0")
	in.ModelId, in.ToolConfig = aws.String("global.amazon.nova-2-lite-v1:0"), weather()
	for _, want := range []types.StopReason{types.StopReasonToolUse, types.StopReasonToolUse, types.StopReasonEndTurn} {
		got := useTools(t, c, in)
		if got.stop != want {
			t.Errorf("after %d messages it stops for %s, want %s", len(in.Messages), got.stop, want)
		}
		if got.stop != types.StopReasonToolUse {
			return
		}
		in.Messages = append(in.Messages,
			types.Message{Role: "assistant", Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
				ToolUseId: &got.ids[0], Name: &got.names[0], Input: document.NewLazyDocument(map[string]any{}),
			}}}},
			types.Message{Role: "user", Content: []types.ContentBlock{&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
				ToolUseId: &got.ids[0], Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "7"}},
			}}}})
	}
}
