package capacity_test

import (
	"math"
	"testing"

	"github.com/streaming-service/streaming-service/tests/benchmark/capacity"
)

// socket is a round request of the WebSocket path; event is the same over SSE.
var (
	socket = capacity.Request{
		Seconds: 10, Rest: 1, Frames: 64, Connects: 1, Invocations: 2, Processes: 1, Queued: true,
		WriteUnits: 20, ReadUnits: 10, IndexWrites: 2, Tokens: 5000,
	}
	event = capacity.Request{
		Seconds: 10, Rest: 1, Invocations: 3, Processes: 1, WriteUnits: 20, ReadUnits: 10, IndexWrites: 2, Tokens: 5000,
	}
)

// shared is the WebSocket path whose processes hold ten streams each.
func shared() capacity.Request {
	r := socket
	r.Processes = 0.1
	return r
}

func limit(t *testing.T, name string) capacity.Limit {
	t.Helper()
	for _, l := range capacity.Defaults(3e6) {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no limit %q", name)
	return capacity.Limit{}
}

func TestNeedAndStreams(t *testing.T) {
	t.Parallel()
	const (
		tokens    = "Bedrock tokens"
		calls     = "API Gateway calls, @connections among them"
		connects  = "new WebSocket connections"
		processes = "Lambda concurrency"
		invokes   = "Lambda invocations, 10 a second for each of concurrency"
		pollers   = "processors of a queue, queue.maximumConcurrency"
		flight    = "SQS messages in flight"
		writes    = "DynamoDB write units of a table"
		reads     = "DynamoDB read units of a table"
		index     = "write units of the sweep's index, 1,000 a partition"
	)
	tests := []struct {
		limit   string
		request capacity.Request
		need    float64 // of 10,000 streams, which begin at 1,000 a second
		streams float64
	}{
		{tokens, socket, 300e6, 100},
		{calls, socket, 65_000, 1538},
		{calls, event, 1000, 100_000},
		{connects, socket, 1000, 5000},
		{connects, event, 0, math.Inf(1)},
		{processes, socket, 10_000, 1000},
		{processes, shared(), 1000, 10_000},
		{invokes, socket, 2000, 50_000},
		{invokes, event, 3000, 33_333},
		{pollers, socket, 10_000, 1000},
		{pollers, event, 0, math.Inf(1)},
		{flight, socket, 10_000, 120_000},
		{flight, event, 0, math.Inf(1)},
		{writes, socket, 20_000, 20_000},
		{reads, socket, 10_000, 40_000},
		{index, socket, 2000, 80_000},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		l := limit(t, tt.limit)
		covered[tt.limit] = true
		if got := l.Need(tt.request, 10_000); math.Abs(got-tt.need) > 1e-6 {
			t.Errorf("%s: 10,000 streams need %g, want %g", tt.limit, got, tt.need)
		}
		if got := l.Streams(tt.request); got != tt.streams {
			t.Errorf("%s: allows %g streams, want %g", tt.limit, got, tt.streams)
		}
	}
	for _, l := range capacity.Defaults(3e6) {
		if !covered[l.Name] {
			t.Errorf("no row for %s", l.Name)
		}
		if l.Value <= 0 || l.Unit == "" || l.Source == "" || l.Remedy == "" || l.Scope == "" {
			t.Errorf("%s lacks a field: %+v", l.Name, l)
		}
	}
}

func TestExceeded(t *testing.T) {
	t.Parallel()
	const plenty = 1e12 // tokens
	tests := []struct {
		name    string
		request capacity.Request
		streams float64
		tokens  float64
		first   string // "": none is exceeded
		others  int
		stacks  int
	}{
		{"few", socket, 100, 3e6, "", 0, 1},
		{"one more than the model takes", socket, 101, 3e6, "Bedrock tokens", 0, 1},
		{"processes", socket, 1001, plenty, "Lambda concurrency", 1, 2},
		{"calls too", socket, 2000, plenty, "Lambda concurrency", 2, 2},
		{"shared processes", shared(), 2000, plenty, "API Gateway calls, @connections among them", 0, 1},
		{"over SSE", event, 100_000, plenty, "Lambda concurrency", 4, 5},
		{"a hundred thousand", socket, 100_000, plenty, "Lambda concurrency", 7, 100},
	}
	for _, tt := range tests {
		over := capacity.Exceeded(tt.request, tt.streams, capacity.Defaults(tt.tokens))
		first := ""
		if len(over) > 0 {
			first = over[0].Name
		}
		if first != tt.first || len(over) != tt.others+min(1, len(first)) {
			t.Errorf("%s: %d limits are exceeded, first %q; want %q and %d more", tt.name, len(over), first, tt.first, tt.others)
			for _, l := range over {
				t.Logf("  %s", l.Name)
			}
		}
		if got := capacity.Stacks(tt.request, tt.streams, capacity.Defaults(tt.tokens)); got != tt.stacks {
			t.Errorf("%s: %d stacks, want %d", tt.name, got, tt.stacks)
		}
	}
}

func TestRamp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		request        capacity.Request
		streams        float64
		called, polled float64
	}{
		{socket, 5, 10, 0},
		{socket, 305, 10, 60},
		{socket, 10_000, 100, 1999},
		{shared(), 10_000, 10, 199},
		{event, 100_000, 1000, 19_999},
	}
	for _, tt := range tests {
		called, polled := capacity.Ramp(tt.request, tt.streams)
		if called != tt.called || polled != tt.polled {
			t.Errorf("%g streams: %g s and %g s, want %g s and %g s", tt.streams, called, polled, tt.called, tt.polled)
		}
	}
}
