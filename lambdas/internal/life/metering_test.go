package life_test

import (
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// A usage of zeros once made an answer free: a count of 0 is no report.
func TestZeroIsNoReport(t *testing.T) {
	t.Parallel()
	r := life.Record{Estimate: 100, Model: life.ModelParameters{MaxTokens: 60}}
	for name, test := range map[string]struct {
		reported *protocol.TokenUsage
		produced int64
		want     protocol.TokenUsage
	}{
		"reported":               {&protocol.TokenUsage{InputTokens: 30, OutputTokens: 12}, 20, protocol.TokenUsage{InputTokens: 30, OutputTokens: 12}},
		"not reported":           {nil, 20, protocol.TokenUsage{InputTokens: 40, OutputTokens: 20, Estimated: true}},
		"zeros":                  {&protocol.TokenUsage{}, 20, protocol.TokenUsage{InputTokens: 40, OutputTokens: 20, Estimated: true}},
		"no output":              {&protocol.TokenUsage{InputTokens: 30}, 20, protocol.TokenUsage{InputTokens: 30, OutputTokens: 20, Estimated: true}},
		"no input":               {&protocol.TokenUsage{OutputTokens: 12}, 20, protocol.TokenUsage{InputTokens: 40, OutputTokens: 12, Estimated: true}},
		"negative":               {&protocol.TokenUsage{InputTokens: -1, OutputTokens: -1}, 20, protocol.TokenUsage{InputTokens: 40, OutputTokens: 20, Estimated: true}},
		"nothing produced":       {&protocol.TokenUsage{InputTokens: 30}, 0, protocol.TokenUsage{InputTokens: 30}},
		"more than was allowed":  {nil, 5_000, protocol.TokenUsage{InputTokens: 40, OutputTokens: 60, Estimated: true}},
		"reported beyond limits": {&protocol.TokenUsage{InputTokens: 300, OutputTokens: 61}, 5_000, protocol.TokenUsage{InputTokens: 300, OutputTokens: 61}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := r.Metered(test.reported, test.produced); *got != test.want {
				t.Errorf("got %+v, want %+v", *got, test.want)
			}
		})
	}
}
