package metrics_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/protocol"
)

func decode(t *testing.T, line string) map[string]any {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return got
}

func TestRecordByWritesTheEmbeddedMetricFormat(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	metrics.New(&out, "Streaming", "dev").RecordBy("rate_limited",
		metrics.Count(metrics.Refused, 1), metrics.Duration(metrics.TimeToFirstDelta, 1500*time.Microsecond))

	got := decode(t, out.String())
	if got["Service"] != "dev" || got["Reason"] != "rate_limited" || got["Refused"] != 1.0 || got["TimeToFirstDelta"] != 1.5 {
		t.Errorf("values: %v", got)
	}
	aws := got["_aws"].(map[string]any)
	if aws["Timestamp"].(float64) < 1e12 {
		t.Errorf("timestamp %v is not in milliseconds", aws["Timestamp"])
	}
	directive := aws["CloudWatchMetrics"].([]any)[0]
	want := map[string]any{
		"Namespace":  "Streaming",
		"Dimensions": []any{[]any{"Service"}, []any{"Service", "Reason"}},
		"Metrics": []any{
			map[string]any{"Name": "Refused", "Unit": "Count"},
			map[string]any{"Name": "TimeToFirstDelta", "Unit": "Milliseconds"},
		},
	}
	if !reflect.DeepEqual(directive, want) {
		t.Errorf("directive = %v, want %v", directive, want)
	}
}

func TestSettledCountsRefundsAndExcess(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		record life.Record
		want   map[string]any
	}{
		{
			"succeeded beyond the estimate",
			life.Record{Status: protocol.StatusSucceeded, Estimate: 10, Usage: &protocol.TokenUsage{InputTokens: 5, OutputTokens: 8}},
			map[string]any{"Reason": "succeeded", "Ended": 1.0, "Refunded": 0.0, "ExcessTokens": 3.0, "InputTokens": 5.0, "OutputTokens": 8.0},
		},
		{
			"expired",
			life.Record{Status: protocol.StatusFailed, ErrorCode: protocol.CodeExpired, Estimate: 10},
			map[string]any{"Reason": "expired", "Ended": 1.0, "Refunded": 1.0, "ExcessTokens": 0.0},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			metrics.New(&out, "n", "s").Settled(test.record, life.Settle(test.record))
			got := decode(t, out.String())
			for name, want := range test.want {
				if got[name] != want {
					t.Errorf("%s = %v, want %v", name, got[name], want)
				}
			}
		})
	}
}

// TestSpendingByModel: what a request cost is written for its model, by the kind
// of its tokens.
func TestSpendingByModel(t *testing.T) {
	t.Parallel()
	record := life.Record{
		Status: protocol.StatusSucceeded, Estimate: 10, Model: life.ModelParameters{ModelID: "m"},
		Usage: &protocol.TokenUsage{InputTokens: 1_000, OutputTokens: 100, CacheReadTokens: 600, CacheWriteTokens: 300},
	}.PricedAt(life.Price{Input: 1_000_000_000, Output: 5_000_000_000, CacheRead: 100_000_000, CacheWrite: 1_250_000_000})
	var out bytes.Buffer
	metrics.New(&out, "n", "s").Settled(record, life.Settle(record))
	_, second, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	got := decode(t, second)
	want := map[string]any{
		"Service": "s", "Model": "m", "Cost": 0.001035, "ExcessCost": 0.0010225,
		"InputCost": 0.0001, "OutputCost": 0.0005, "CacheReadCost": 0.00006, "CacheWriteCost": 0.000375,
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s = %v, want %v", name, got[name], value)
		}
	}
}

func TestLinesOfConcurrentWritersStayWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := metrics.New(&out, "n", "s")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { r.Record(metrics.Count(metrics.Frames, 1)) })
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 50 {
		t.Fatalf("%d lines, want 50", len(lines))
	}
	for _, line := range lines {
		decode(t, line)
	}
}

func TestNothingIsWrittenWithoutAMeasurement(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	metrics.New(&out, "n", "s").Record()
	metrics.New(&out, "n", "s").Record(metrics.Value{Name: "x", Number: math.NaN()})
	var none *metrics.Recorder
	none.Record(metrics.Count("x", 1))
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
}
