package bedrock_test

import (
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
	answer, err := s.models(bedrock.Options{}).Stream(t.Context(), record(), life.Input{}, func(d model.Delta) { got = append(got, d) })
	if err != nil {
		t.Fatal(err)
	}
	return got, answer
}

// Reasoning and the input of tools were dropped before anybody counted them; so
// was whatever a newer Bedrock sends.
func TestEverythingThatIsProducedIsPassedOn(t *testing.T) {
	t.Parallel()
	reasoning := func(size int) model.Delta { return model.Delta{Kind: model.KindReasoning, Size: size} }
	for name, test := range map[string]struct {
		event []byte
		want  []model.Delta
	}{
		"text":               {block(`{"text":"Hé"}`), []model.Delta{{Kind: model.KindText, Text: "Hé"}}},
		"reasoning":          {block(`{"reasoningContent":{"text":"Hmm, é"}}`), []model.Delta{reasoning(7)}},
		"signature":          {block(`{"reasoningContent":{"signature":"abcdefgh"}}`), []model.Delta{reasoning(8)}},
		"redacted reasoning": {block(`{"reasoningContent":{"redactedContent":"AAECAwQ="}}`), []model.Delta{reasoning(5)}},
		"reasoning of a new kind": {
			block(`{"reasoningContent":{"hologram":"x"}}`), []model.Delta{{Kind: "contentBlockDelta", Size: 4}},
		},
		"tool": {
			event("event", "contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"weather"}}}`),
			[]model.Delta{{Kind: model.KindToolUse, Size: 7}},
		},
		"input of a tool": {block(`{"toolUse":{"input":"{\"city\":"}}`), []model.Delta{{Kind: model.KindToolUse, Size: 8}}},
		"citation": {
			block(`{"citation":{"title":"x"}}`), []model.Delta{{Kind: "ContentBlockDeltaMemberCitation", Size: 4}},
		},
		"delta of a new kind": {block(`{"hologram":{"x":1}}`), []model.Delta{{Kind: "contentBlockDelta", Size: 4}}},
		"event of a new kind": {event("event", "hologram", `{}`), []model.Delta{{Kind: "hologram"}}},
		"start of a text":     {event("event", "contentBlockStart", `{"contentBlockIndex":0,"start":{}}`), nil},
		"end of a block":      {event("event", "contentBlockStop", `{"contentBlockIndex":0}`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := deltas(t, test.event); !slices.Equal(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
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
