package bedrock_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

func block(delta string) []byte {
	return event("event", "contentBlockDelta", `{"contentBlockIndex":0,"delta":`+delta+`,"p":"abc"}`)
}

// deltas are all pieces that a stream is read as.
func deltas(t *testing.T, events ...[]byte) ([]model.Delta, model.Answer) {
	t.Helper()
	var got []model.Delta
	s := serve(t, streaming(append(append([][]byte{opening}, events...), stop("end_turn"))...))
	answer, err := s.models(bedrock.Options{}).Stream(t.Context(), record(), life.Input{}, take(func(d model.Delta) { got = append(got, d) }))
	if err != nil {
		t.Fatal(err)
	}
	return got, answer
}

var blockStop = event("event", "contentBlockStop", `{"contentBlockIndex":0}`)

// used is a use of the tool weather.
func used(input string) model.Delta {
	return model.Delta{Kind: model.KindToolUse, ToolUse: &model.ToolUse{ID: "t1", Name: "weather", Input: json.RawMessage(input)}}
}

// Reasoning and the input of tools were dropped before anybody counted them; so
// was whatever a newer Bedrock sends.
func TestEverythingThatIsProducedIsPassedOn(t *testing.T) {
	t.Parallel()
	weather := event("event", "contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"weather"}}}`)
	named := model.Delta{Kind: model.KindToolUse, Size: 7}
	for name, test := range map[string]struct {
		events [][]byte
		want   []model.Delta
	}{
		"text":      {[][]byte{block(`{"text":"Hé"}`)}, []model.Delta{{Kind: model.KindText, Text: "Hé"}}},
		"reasoning": {[][]byte{block(`{"reasoningContent":{"text":"Hmm, é"}}`)}, []model.Delta{{Kind: model.KindReasoning, Text: "Hmm, é"}}},
		"signature": {[][]byte{block(`{"reasoningContent":{"signature":"abcdefgh"}}`)}, []model.Delta{{Kind: model.KindReasoning, Signature: "abcdefgh"}}},
		"redacted reasoning": {
			[][]byte{block(`{"reasoningContent":{"redactedContent":"AAECAwQ="}}`), block(`{"reasoningContent":{"redactedContent":"BQ=="}}`), blockStop},
			[]model.Delta{{Kind: model.KindReasoning, Size: 5}, {Kind: model.KindReasoning, Size: 1}, {Kind: model.KindReasoning, Redacted: []byte{0, 1, 2, 3, 4, 5}}},
		},
		"reasoning of a new kind": {
			[][]byte{block(`{"reasoningContent":{"hologram":"x"}}`)}, []model.Delta{{Kind: "contentBlockDelta", Size: 4}},
		},
		"tool": {
			[][]byte{weather, block(`{"toolUse":{"input":"{\"city\":"}}`), block(`{"toolUse":{"input":" \"Köln\"}"}}`), blockStop},
			[]model.Delta{named, {Kind: model.KindToolUse, Size: 8}, {Kind: model.KindToolUse, Size: 9}, used(`{"city":"Köln"}`)},
		},
		"tool without input":     {[][]byte{weather, block(`{"toolUse":{"input":""}}`), blockStop}, []model.Delta{named, {Kind: model.KindToolUse}, used(`{}`)}},
		"tool that is not ended": {[][]byte{weather}, []model.Delta{named, used(`{}`)}},
		"tool that was cut off":  {[][]byte{weather, block(`{"toolUse":{"input":"{\"city\":"}}`), blockStop}, []model.Delta{named, {Kind: model.KindToolUse, Size: 8}}},
		"tool with a list":       {[][]byte{weather, block(`{"toolUse":{"input":"[1]"}}`), blockStop}, []model.Delta{named, {Kind: model.KindToolUse, Size: 3}}},
		"citation": {
			[][]byte{block(`{"citation":{"title":"x"}}`)}, []model.Delta{{Kind: "ContentBlockDeltaMemberCitation", Size: 4}},
		},
		"delta of a new kind": {[][]byte{block(`{"hologram":{"x":1}}`)}, []model.Delta{{Kind: "contentBlockDelta", Size: 4}}},
		"event of a new kind": {[][]byte{event("event", "hologram", `{}`)}, []model.Delta{{Kind: "hologram"}}},
		"start of a text":     {[][]byte{event("event", "contentBlockStart", `{"contentBlockIndex":0,"start":{}}`)}, nil},
		"end of a block":      {[][]byte{blockStop}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := deltas(t, test.events...); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// Two uses of tools whose pieces come by turns are two.
func TestBlocksAreToldApartByTheirIndex(t *testing.T) {
	t.Parallel()
	start := func(index int, name string) []byte {
		return event("event", "contentBlockStart", fmt.Sprintf(`{"contentBlockIndex":%d,"start":{"toolUse":{"toolUseId":%q,"name":"n"}}}`, index, name))
	}
	input := func(index int, piece string) []byte {
		return event("event", "contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":%d,"delta":{"toolUse":{"input":%q}}}`, index, piece))
	}
	got, _ := deltas(t, start(1, "a"), start(2, "b"), input(1, `{"x":`), input(2, `{"y":`), input(1, `1}`), input(2, `2}`))
	var uses []string
	for _, d := range got {
		if d.ToolUse != nil {
			uses = append(uses, d.ToolUse.ID+string(d.ToolUse.Input))
		}
	}
	if want := []string{`a{"x":1}`, `b{"y":2}`}; !slices.Equal(uses, want) {
		t.Errorf("uses %q, want %q", uses, want)
	}
}

// A client would run a tool with an input that is none, or wait for a use that
// never comes.
func TestMalformedUseOfATool(t *testing.T) {
	t.Parallel()
	start := event("event", "contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"weather"}}}`)
	for reason, failed := range map[string]bool{"tool_use": true, "max_tokens": false} {
		s := serve(t, streaming(opening, start, block(`{"toolUse":{"input":"{\"city\":"}}`), blockStop, stop(reason)))
		_, err := s.models(bedrock.Options{}).Stream(t.Context(), record(), life.Input{}, take(func(model.Delta) {}))
		failure, _ := errors.AsType[*model.Failure](err)
		if (failure != nil) != failed || failed && (failure.Code != protocol.CodeModelError || failure.Retryable) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// A second report of zeros once replaced the first, and made the answer free.
func TestNoReportOfUsageTakesBackAnother(t *testing.T) {
	t.Parallel()
	report := func(usage string) []byte { return event("event", "metadata", `{"usage":`+usage+`}`) }
	for name, test := range map[string]struct {
		events [][]byte
		want   *protocol.TokenUsage
	}{
		"none":                    {nil, nil},
		"metadata without it":     {[][]byte{event("event", "metadata", `{"metrics":{"latencyMs":5}}`)}, nil},
		"one":                     {[][]byte{metadata}, &protocol.TokenUsage{InputTokens: 7, OutputTokens: 3}},
		"zeros after it":          {[][]byte{metadata, report(`{"inputTokens":0,"outputTokens":0,"totalTokens":0}`)}, &protocol.TokenUsage{InputTokens: 7, OutputTokens: 3}},
		"nothing after it":        {[][]byte{metadata, event("event", "metadata", `{}`)}, &protocol.TokenUsage{InputTokens: 7, OutputTokens: 3}},
		"less after it":           {[][]byte{metadata, report(`{"inputTokens":6,"outputTokens":2}`)}, &protocol.TokenUsage{InputTokens: 7, OutputTokens: 3}},
		"more of one after it":    {[][]byte{metadata, report(`{"inputTokens":6,"outputTokens":9}`)}, &protocol.TokenUsage{InputTokens: 7, OutputTokens: 9}},
		"negative":                {[][]byte{report(`{"inputTokens":-7,"outputTokens":-3,"totalTokens":-10}`)}, &protocol.TokenUsage{}},
		"no output":               {[][]byte{report(`{"inputTokens":7}`)}, &protocol.TokenUsage{InputTokens: 7}},
		"from the cache":          {[][]byte{report(`{"inputTokens":0,"outputTokens":3,"cacheReadInputTokens":500,"cacheWriteInputTokens":20}`)}, &protocol.TokenUsage{InputTokens: 520, OutputTokens: 3, CacheReadTokens: 500, CacheWriteTokens: 20}},
		"a negative cache":        {[][]byte{report(`{"inputTokens":7,"outputTokens":3,"cacheReadInputTokens":-5}`)}, &protocol.TokenUsage{InputTokens: 7, OutputTokens: 3}},
		"before messageStop only": {[][]byte{report(`{"inputTokens":7,"outputTokens":1}`)}, &protocol.TokenUsage{InputTokens: 7, OutputTokens: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, answer := deltas(t, test.events...)
			if got := answer.Usage; (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
