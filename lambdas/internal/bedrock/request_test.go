package bedrock_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// sent is the body that asks a model with an input.
func sent(t *testing.T, modelID string, in life.Input) string {
	t.Helper()
	s := serve(t, streaming(opening, stop("end_turn"), metadata))
	r := record()
	r.Model = life.ModelParameters{ModelID: modelID, MaxTokens: 8_000}
	if _, err := s.models(bedrock.Options{}).Stream(t.Context(), r, in, take(func(model.Delta) {})); err != nil {
		t.Fatal(err)
	}
	return string(s.body)
}

const (
	nova2  = "global.amazon.nova-2-lite-v1:0"
	claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	opus   = "us.anthropic.claude-opus-4-8"
	sonnet = "us.anthropic.claude-sonnet-4-6"
)

// conversation is one with everything in it.
func conversation() life.Input {
	return life.Input{
		Messages: []protocol.Message{
			{Role: "user", Content: "is it warm?"},
			{Role: "assistant", Blocks: []protocol.Block{
				{Type: protocol.BlockReasoning, Text: "hm", Signature: "sig"},
				{Type: protocol.BlockReasoning, Redacted: []byte("secret")},
				protocol.TextBlock("\n\n"),
				{Type: protocol.BlockToolUse, ToolUseID: "t1", Name: "weather", Input: json.RawMessage(`{"z":1.50,"a":{},"":9007199254740993}`)},
			}},
			{Role: "user", Blocks: []protocol.Block{
				{Type: protocol.BlockToolResult, ToolUseID: "t1", Status: "error", Content: []protocol.Block{
					protocol.TextBlock("no such city"), {Type: protocol.BlockJSON, JSON: json.RawMessage(`{"code":404}`)}, {Type: protocol.BlockImage, Format: "jpeg", Data: []byte("jpg")},
				}},
				{Type: protocol.BlockImage, Format: "png", Data: []byte("png")},
				{Type: protocol.BlockDocument, Format: "pdf", Name: "Report", Data: []byte("pdf")},
				protocol.TextBlock("look"),
			}},
		},
		System: []string{"be brief"},
		Tools: []protocol.Tool{
			{Name: "weather", Description: "of a city", InputSchema: json.RawMessage(`{"type":"object","properties":{"z":{},"a":{}}}`)},
			{Name: "now", InputSchema: json.RawMessage(`{"type":"object"}`)},
		},
	}
}

func TestRequestOfBlocks(t *testing.T) {
	t.Parallel()
	got := sent(t, claude, conversation())
	for _, want := range []string{
		`{"content":[{"text":"is it warm?"}],"role":"user"}`,
		`{"reasoningContent":{"reasoningText":{"signature":"sig","text":"hm"}}},{"reasoningContent":{"redactedContent":"c2VjcmV0"}},{"toolUse":{`,
		`"input":{"z":1.50,"a":{},"":9007199254740993}`, // as it came: by its order a cache is found again
		`"status":"error"`, `{"json":{"code":404}}`, `{"image":{"format":"jpeg","source":{"bytes":"anBn"}}}`,
		`{"image":{"format":"png","source":{"bytes":"cG5n"}}}`,
		`{"document":{"format":"pdf","name":"Report","source":{"bytes":"cGRm"}}},{"text":"look"}`,
		`"inputSchema":{"json":{"type":"object","properties":{"z":{},"a":{}}}}`, `"description":"of a city"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	for _, unwanted := range []string{"cachePoint", "toolChoice", "additionalModelRequestFields", `\n`} {
		if strings.Contains(got, unwanted) {
			t.Errorf("%s\nhas %s", got, unwanted)
		}
	}
}

// A model that reasons by itself refuses its own reasoning.
func TestReasoningThatIsNotWantedBackIsLeftOut(t *testing.T) {
	t.Parallel()
	for id, back := range map[string]bool{claude: true, nova2: true, "us.deepseek.r1-v1:0": false, "openai.gpt-oss-120b-1:0": false} {
		if got := strings.Contains(sent(t, id, conversation()), "reasoningContent"); got != back {
			t.Errorf("%s: reasoning is sent back: %v", id, got)
		}
	}
}

func TestToolChoice(t *testing.T) {
	t.Parallel()
	for want, choice := range map[string]*protocol.ToolChoice{
		`"toolChoice":{"any":{}}`:                  {Mode: protocol.ToolChoiceAny},
		`"toolChoice":{"tool":{"name":"weather"}}`: {Name: "weather"},
		`"toolConfig":{"tools"`:                    {Mode: protocol.ToolChoiceAuto},
	} {
		in := conversation()
		in.ToolChoice = choice
		if got := sent(t, claude, in); !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
}

func TestReasoningFields(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ model, effort, want string }{
		{nova2, "low", `{"reasoningConfig":{"maxReasoningEffort":"low","type":"enabled"}}`},
		{nova2, "high", `{"reasoningConfig":{"maxReasoningEffort":"medium","type":"enabled"}}`},
		{claude, "low", `{"thinking":{"budget_tokens":1600,"type":"enabled"}}`},
		{claude, "high", `{"thinking":{"budget_tokens":6400,"type":"enabled"}}`},
		{sonnet, "medium", `{"output_config":{"effort":"medium"},"thinking":{"type":"adaptive"}}`},
		{opus, "high", `{"output_config":{"effort":"high"},"thinking":{"display":"summarized","type":"adaptive"}}`},
		{"openai.gpt-oss-20b-1:0", "medium", `{"reasoning_effort":"medium"}`},
	} {
		in := life.Input{Messages: []protocol.Message{{Role: "user", Content: "hi"}}, Effort: test.effort}
		if got := sent(t, test.model, in); !strings.Contains(got, `"additionalModelRequestFields":`+test.want) || !strings.Contains(got, `"maxTokens":8000`) {
			t.Errorf("%s %s: %s\nlacks %s", test.model, test.effort, got, test.want)
		}
	}
}

// Cache points stand where the next request of the conversation is the same up
// to there, and where the family takes them.
func TestCachePoints(t *testing.T) {
	t.Parallel()
	const point = `{"cachePoint":{"type":"default"}}`
	in := conversation()
	in.Cache = true
	for id, want := range map[string][]string{
		claude:                                   {`"name":"now"}},` + point + `]`, `{"text":"be brief"},` + point, `{"text":"is it warm?"},` + point},
		nova2:                                    {`{"text":"be brief"},` + point, `{"text":"is it warm?"},` + point},
		"us.meta.llama4-scout-17b-instruct-v1:0": nil,
	} {
		got := sent(t, id, in)
		if n := strings.Count(got, point); n != len(want) {
			t.Errorf("%s: %d cache points in %s", id, n, got)
		}
		for _, place := range want {
			if !strings.Contains(got, place) {
				t.Errorf("%s: %s\nlacks %s", id, got, place)
			}
		}
	}
	first := life.Input{Messages: []protocol.Message{{Role: "user", Content: "hi"}}, Cache: true}
	if got := sent(t, claude, first); strings.Contains(got, point) {
		t.Errorf("nothing comes again of %s", got)
	}
}
