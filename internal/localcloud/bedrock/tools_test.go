package bedrock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

// weather is a tool.
func weather() *types.ToolConfiguration {
	return &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
		Name: aws.String("get_weather"),
		InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{
			"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}, "days": map[string]any{"type": "integer"}},
		})},
	}}}}
}

// used is what a client saw of uses of tools.
type used struct {
	ids, names, inputs []string
	pieces             int
	stop               types.StopReason
	redacted           int
	usage              *types.TokenUsage
}

func useTools(t *testing.T, c client, in *bedrockruntime.ConverseStreamInput) used {
	t.Helper()
	out, err := c.ConverseStream(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	var u used
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockStart:
			start := e.Value.Start.(*types.ContentBlockStartMemberToolUse).Value
			u.ids, u.names, u.inputs = append(u.ids, *start.ToolUseId), append(u.names, *start.Name), append(u.inputs, "")
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch d := e.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberToolUse:
				u.inputs[len(u.inputs)-1] += *d.Value.Input
				u.pieces++
			case *types.ContentBlockDeltaMemberReasoningContent:
				if sealed, ok := d.Value.(*types.ReasoningContentBlockDeltaMemberRedactedContent); ok {
					u.redacted += len(sealed.Value)
				}
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			u.stop = e.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			u.usage = e.Value.Usage
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestToolUse(t *testing.T) {
	t.Parallel()
	c := serve(t, newModel())
	ask := func(script string) *bedrockruntime.ConverseStreamInput {
		in := input("Is it warm in Köln?", "script: rate=0 "+script)
		in.ToolConfig = weather()
		return in
	}
	first := useTools(t, c, ask("tool=get_weather"))
	if len(first.inputs) != 1 || first.inputs[0] != `{"city":"Köln","days":5}` || first.names[0] != "get_weather" || first.stop != types.StopReasonToolUse || first.pieces < 4 {
		t.Errorf("used %+v", first)
	}
	if again := useTools(t, c, ask("tool=get_weather")); again.ids[0] != first.ids[0] {
		t.Errorf("the same prompt was answered with other ids: %q and %q", first.ids, again.ids)
	}
	if two := useTools(t, c, ask(`tool=get_weather tool=get_weather toolInput={"city": "Rom"}`)); len(two.ids) != 2 || two.ids[0] == two.ids[1] || two.inputs[1] != `{"city": "Rom"}` {
		t.Errorf("used %+v", two)
	}
	in := ask("tokens=3 tool=get_weather")
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(5)}
	if cut := useTools(t, c, in); cut.stop != types.StopReasonMaxTokens || cut.inputs[0] == "" || json.Valid([]byte(cut.inputs[0])) {
		t.Errorf("used %+v, want half an input", cut)
	}
	for name, choice := range map[string]types.ToolChoice{
		"any": &types.ToolChoiceMemberAny{}, "a name": &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String("get_weather")}},
	} {
		in := ask("")
		in.ToolConfig.ToolChoice = choice
		if forced := useTools(t, c, in); len(forced.ids) != 1 {
			t.Errorf("%s: used %+v", name, forced)
		}
	}
	if free := useTools(t, c, ask("")); len(free.ids) != 0 || free.stop != types.StopReasonEndTurn {
		t.Errorf("without a script: %+v", free)
	}
}

func TestResultsAreAnswered(t *testing.T) {
	t.Parallel()
	c := serve(t, newModel())
	in := input("Is it warm?", "script: rate=0 tokens=20 tool=get_weather")
	in.ToolConfig = weather()
	asked := useTools(t, c, in)
	in.Messages = append(in.Messages,
		types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
			ToolUseId: aws.String(asked.ids[0]), Name: aws.String("get_weather"), Input: document.NewLazyDocument(map[string]any{"city": "Rom"}),
		}}}},
		types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
			ToolUseId: aws.String(asked.ids[0]), Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "seven degrees in Rom"}},
		}}}})
	if a := converse(t, c, in); a.stop != types.StopReasonEndTurn || !strings.Contains(a.text, "seven degrees in Rom") {
		t.Errorf("stopped for %s with %q", a.stop, a.text)
	}
}

func TestReasoningThatIsAskedFor(t *testing.T) {
	t.Parallel()
	c := serve(t, newModel())
	in := input("hi", "script: rate=0 tokens=2")
	in.ModelId = aws.String("global.amazon.nova-2-lite-v1:0")
	in.AdditionalModelRequestFields = document.NewLazyDocument(map[string]any{"reasoningConfig": map[string]any{"type": "enabled", "maxReasoningEffort": "low"}})
	if a := converse(t, c, in); a.reasoning == "" || a.signature == "" {
		t.Errorf("reasoned %q, signed %q", a.reasoning, a.signature)
	}
	if u := useTools(t, c, input("hi", "script: rate=0 reasoning=5 redacted")); u.redacted == 0 {
		t.Error("nothing was kept back")
	}
}

// The second request of a conversation reads what the first has written, and the
// same words without a cache point read nothing.
func TestCache(t *testing.T) {
	t.Parallel()
	c := serve(t, newModel())
	long := strings.Repeat("word ", 1_000)
	ask := func(question string, points bool) *types.TokenUsage {
		in := input(question, "script: rate=0 tokens=2")
		in.System = append(in.System, &types.SystemContentBlockMemberText{Value: long})
		if points {
			in.System = append(in.System, &types.SystemContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: types.CachePointTypeDefault}})
		}
		return useTools(t, c, in).usage
	}
	plain, first, second := ask("a", false), ask("a", true), ask("b", true)
	if plain.CacheReadInputTokens != nil || plain.CacheWriteInputTokens != nil {
		t.Errorf("without a cache point: %+v", plain)
	}
	kept := *first.CacheWriteInputTokens
	if *first.CacheReadInputTokens != 0 || kept < 1_024 || *first.InputTokens+kept != *plain.InputTokens || *first.TotalTokens != *plain.TotalTokens {
		t.Errorf("first %d read, %d written, %d else; plain %d", *first.CacheReadInputTokens, kept, *first.InputTokens, *plain.InputTokens)
	}
	if *second.CacheReadInputTokens != kept || *second.CacheWriteInputTokens != 0 {
		t.Errorf("second %d read, %d written, want %d read", *second.CacheReadInputTokens, *second.CacheWriteInputTokens, kept)
	}
	if u := useTools(t, c, input("a", "script: rate=0 cached=1000 written=7")).usage; *u.CacheReadInputTokens != 1000 || *u.CacheWriteInputTokens != 7 {
		t.Errorf("script: %d read, %d written", *u.CacheReadInputTokens, *u.CacheWriteInputTokens)
	}
}

// What Bedrock, or a model of a family, refuses of blocks and tools.
func TestBlocksAreValidated(t *testing.T) {
	t.Parallel()
	const (
		ok      = `{"text":"x"}`
		png     = `{"image":{"format":"png","source":{"bytes":"AAAA"}}}`
		use     = `{"toolUse":{"toolUseId":"t","name":"n","input":{}}}`
		result  = `{"toolResult":{"toolUseId":"t","content":[{"text":"a"}]}}`
		config  = `,"toolConfig":{"tools":[{"toolSpec":{"name":"n","inputSchema":{"json":{"type":"object"}}}}]}`
		nova2   = "global.amazon.nova-2-lite-v1:0"
		micro   = "us.amazon.nova-micro-v1:0"
		llama   = "us.meta.llama4-scout-17b-instruct-v1:0"
		mistral = "mistral.mistral-7b-instruct-v0:2"
		sonnet  = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
		opus    = "us.anthropic.claude-opus-4-8"
	)
	user := func(blocks, more string) string {
		return `{"messages":[{"role":"user","content":[` + blocks + `]}]` + more + `}`
	}
	loop := func(assistant, blocks, more string) string {
		return `{"messages":[{"role":"user","content":[` + ok + `]},{"role":"assistant","content":[` + assistant + `]},{"role":"user","content":[` + blocks + `]}]` + more + `}`
	}
	doc := func(name string) string {
		return fmt.Sprintf(`{"document":{"format":"pdf","name":%q,"source":{"bytes":"AAAA"}}}`, name)
	}
	for _, test := range []struct {
		name, model, body, want string
	}{
		{"all", modelID, loop(use, result+","+png+","+doc("a b")+","+ok, config), ""},
		{"reasoning", sonnet, loop(`{"reasoningContent":{"reasoningText":{"text":"a","signature":"b"}}},`+ok, ok, `,"inferenceConfig":{"maxTokens":2000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`), ""},
		{"adaptive", opus, user(ok, `,"additionalModelRequestFields":{"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"low"}}`), ""},
		{"image of the assistant", modelID, loop(png, ok, ""), "none that a message of the assistant may hold"},
		{"empty image", modelID, user(`{"image":{"format":"png","source":{"bytes":""}}}`, ""), "has 0 bytes"},
		{"21 images", modelID, user(ok+strings.Repeat(","+png, 21), ""), "images at messages.0 is 21"},
		{"six documents", modelID, user(ok+strings.Repeat(","+doc("a"), 6), ""), "documents at messages.0 is 6"},
		{"document without a text", modelID, user(doc("a"), ""), "a document and no text"},
		{"document with a dot", modelID, user(ok+","+doc("a.pdf"), ""), "The document file name can only contain"},
		{"no toolConfig", modelID, loop(use, result, ""), "The toolConfig field must be defined"},
		{"no result", modelID, loop(use, ok, config), "Expected toolResult blocks at messages.2.content for the following Ids: t"},
		{"result of nothing", modelID, user(result, config), "exceeds the number of toolUse blocks"},
		{"input of a list", modelID, loop(`{"toolUse":{"toolUseId":"t","name":"n","input":[]}}`, result, config), "input must be an object"},
		{"blank result", modelID, loop(use, `{"toolResult":{"toolUseId":"t","content":[{"text":""}]}}`, config), "is blank"},
		{"schema of a string", modelID, user(ok, `,"toolConfig":{"tools":[{"toolSpec":{"name":"n","inputSchema":{"json":{"type":"string"}}}}]}`), "must be one of the following: object"},
		{"tool name", modelID, user(ok, `,"toolConfig":{"tools":[{"toolSpec":{"name":"a b","inputSchema":{"json":{"type":"object"}}}}]}`), "regular expression"},
		{"image for a model of text", micro, user(ok+","+png, ""), "doesn't support the image"},
		{"document for a model of text", micro, user(ok+","+doc("a"), ""), "doesn't support documents"},
		{"tools for a model without", mistral, user(ok, config), "doesn't support tool use in streaming mode"},
		{"system for a model without", mistral, user(ok, `,"system":[{"text":"a"}]`), "doesn't support system messages"},
		{"forced tool", llama, user(ok, strings.TrimSuffix(config, "}")+`,"toolChoice":{"any":{}}}`), "toolChoice.any"},
		{"reasoning for who does not", micro, loop(`{"reasoningContent":{"reasoningText":{"text":"a"}}},`+ok, ok, ""), "reasoningContent"},
		{"thinking for Nova", nova2, user(ok, `,"additionalModelRequestFields":{"thinking":{"type":"enabled"}}`), "extraneous key [thinking]"},
		{"high effort with a bound", nova2, user(ok, `,"inferenceConfig":{"maxTokens":9},"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}`), "must be unset"},
		{"small budget", sonnet, user(ok, `,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1000}}`), "greater than or equal to 1024"},
		{"budget beyond the answer", sonnet, user(ok, `,"inferenceConfig":{"maxTokens":1024},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`), "must be greater than"},
		{"temperature while it thinks", sonnet, user(ok, `,"inferenceConfig":{"temperature":0.5},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`), "may only be set to 1"},
		{"budget of the latest", opus, user(ok, `,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`), "thinking.type.adaptive"},
		{"tool that is not offered", modelID, user(ok, `,"system":[{"text":"script: tool=n"}]`), "offers no tool"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, body := post(t, newModel(bedrock.WithScript("script: tokens=1")), test.model, test.body)
			if want := http.StatusBadRequest; test.want != "" && (status != want || !strings.Contains(body, test.want)) || test.want == "" && status != http.StatusOK {
				t.Errorf("%d %s, want %q", status, body, test.want)
			}
		})
	}
	status, body := post(t, newModel(), llama, user(ok+`,{"cachePoint":{"type":"default"}}`, ""))
	if status != http.StatusForbidden || !strings.Contains(body, "prompt caching") {
		t.Errorf("a cache point for a model without: %d %s", status, body)
	}
}
