package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	"github.com/streaming-service/streaming-service/tests/benchmark/capacity"
)

// plannedStreams are the sizes that a plan is made for.
var plannedStreams = []float64{1000, 10_000, 100_000}

// longInterval is the flush interval of the plan that has one, ms.
const longInterval = 1000

// plannedMaxTokens is the model.maxTokens that Bedrock reserves for, the default
// of the component.
const plannedMaxTokens = 4096

// way is a request of the plan.
type way struct {
	name    string
	request capacity.Request
}

// measureCapacity meters requests and computes which limit stops many of them.
func measureCapacity(ctx context.Context, b *bench) (result, error) {
	var r result
	ways, err := b.ways(ctx)
	if err != nil {
		return r, err
	}
	limits := capacity.Defaults(capacity.NovaLiteTokens)
	addRequests(&r, ways)
	addLimits(&r, ways, limits)
	for _, streams := range plannedStreams {
		addPlan(&r, ways, limits, streams)
	}
	addSources(&r, limits)
	return r, nil
}

// ways meters the request over the WebSocket, with the default and with a long
// flush interval, and over SSE.
func (b *bench) ways(ctx context.Context) ([]way, error) {
	c, err := b.startCloud(ctx, nil, everything, manyStreams...)
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	socket, err := c.meterSocket(ctx)
	if err != nil {
		return nil, err
	}
	u, err := c.signIn(ctx)
	if err != nil {
		return nil, err
	}
	u.close()
	event, err := c.meterCompletion(ctx, c.completions(u), true)
	if err != nil {
		return nil, err
	}
	slow, err := b.startCloud(ctx, nil, everything, append(manyStreams, fmt.Sprintf("streaming.flushIntervalMs=%d", longInterval))...)
	if err != nil {
		return nil, err
	}
	defer slow.Close() //nolint:errcheck // nothing is kept
	spaced, err := slow.meterSocket(ctx)
	if err != nil {
		return nil, err
	}
	shared := planned(spaced, true)
	shared.Processes = 1.0 / batchOnAWS
	return []way{
		{"WebSocket", planned(socket, true)},
		{fmt.Sprintf("flush %d ms", longInterval), planned(spaced, true)},
		{"and ten a process", shared},
		{"SSE", planned(event, false)},
	}, nil
}

// meterSocket meters one answer over the WebSocket, the functions being warm.
func (c *cloud) meterSocket(ctx context.Context) (metered, error) {
	u, err := c.signIn(ctx)
	if err != nil {
		return metered{}, err
	}
	defer u.close()
	if _, _, err := askService(ctx, u, "Hello"); err != nil {
		return metered{}, err
	}
	return c.meter(ctx, u, meteredRate)
}

// planned is what a metered request uses. A user opens a socket for each request:
// the worst case.
func planned(m metered, socket bool) capacity.Request {
	r := capacity.Request{
		Seconds: m.took.Seconds(), Rest: m.Counters[usage.RestRequests], Frames: m.Counters[usage.FramesSent], Invocations: m.Counters[usage.Invocations],
		Processes: 1, Queued: socket, WriteUnits: m.Counters[usage.WriteUnits], ReadUnits: m.Counters[usage.ReadUnits],
		IndexWrites: m.Counters[usage.IndexWriteUnits], Tokens: m.Counters[usage.ModelInTokens] + plannedMaxTokens,
	}
	if socket {
		r.Connects = 1
	}
	return r
}

// across adds a row with a value for each way.
func across(r *result, what string, ways []way, value func(capacity.Request) string) {
	m := measure{what: what}
	for _, w := range ways {
		m.columns = append(m.columns, value(w.request))
	}
	r.add(m)
}

func addRequests(r *result, ways []way) {
	m := measure{what: "a request"}
	for _, w := range ways {
		m.columns = append(m.columns, w.name)
	}
	r.add(m)
	number := func(field func(capacity.Request) float64) func(capacity.Request) string {
		return func(q capacity.Request) string { return fmt.Sprintf("%.4g", field(q)) }
	}
	across(r, "  seconds", ways, number(func(q capacity.Request) float64 { return q.Seconds }))
	across(r, "  REST calls", ways, number(func(q capacity.Request) float64 { return q.Rest }))
	across(r, "  frames", ways, number(func(q capacity.Request) float64 { return q.Frames }))
	across(r, "  invocations", ways, number(func(q capacity.Request) float64 { return q.Invocations }))
	across(r, "  processes", ways, number(func(q capacity.Request) float64 { return q.Processes }))
	across(r, "  write units", ways, number(func(q capacity.Request) float64 { return q.WriteUnits }))
	across(r, "  read units", ways, number(func(q capacity.Request) float64 { return q.ReadUnits }))
	across(r, "  tokens reserved", ways, number(func(q capacity.Request) float64 { return q.Tokens }))
}

func addLimits(r *result, ways []way, limits []capacity.Limit) {
	r.add(measure{what: "streams at once that a limit allows"})
	for _, l := range limits {
		across(r, fmt.Sprintf("  %s %s %s", l.Name, thousands(l.Value), l.Unit), ways, func(q capacity.Request) string { return thousands(l.Streams(q)) })
	}
}

func addPlan(r *result, ways []way, limits []capacity.Limit, streams float64) {
	r.add(measure{what: thousands(streams) + " streams at once"})
	across(r, "  begin, a second", ways, func(q capacity.Request) string { return fmt.Sprintf("%.0f", capacity.Rate(q, streams)) })
	nth := func(n int) func(capacity.Request) string {
		return func(q capacity.Request) string {
			over := capacity.Exceeded(q, streams, limits)
			if len(over) <= n {
				return "–"
			}
			return short(over[n].Name)
		}
	}
	across(r, "  binds first", ways, nth(0))
	across(r, "  once that is raised", ways, nth(1))
	across(r, "  exceeded limits", ways, func(q capacity.Request) string { return fmt.Sprint(len(capacity.Exceeded(q, streams, limits))) })
	for _, l := range limits {
		if !slices.ContainsFunc(ways, func(w way) bool { return l.Need(w.request, streams) > l.Value }) {
			continue
		}
		across(r, "  needs: "+short(l.Name), ways, func(q capacity.Request) string {
			need := l.Need(q, streams)
			if need <= l.Value {
				return "–"
			}
			return fmt.Sprintf("%s, %.1f×", thousands(math.Ceil(need)), need/l.Value)
		})
	}
	across(r, "  stacks at least", ways, func(q capacity.Request) string { return fmt.Sprint(capacity.Stacks(q, streams, limits)) })
	across(r, "  seconds of Lambda's ramp", ways, func(q capacity.Request) string {
		called, polled := capacity.Ramp(q, streams)
		if q.Queued {
			return thousands(polled)
		}
		return thousands(called)
	})
}

func addSources(r *result, limits []capacity.Limit) {
	for _, l := range limits {
		r.note("%s: %s. Shared by: %s. %s", l.Name, l.Remedy, l.Scope, l.Source)
	}
	r.note("quotas as of %s, us-east-1; the tokens a minute are those of Nova Lite, look up your model's", capacity.ReadOn)
	r.note("a socket is opened for each request; the units of all tables are held against the quota of one")
}

// short is the first words of a limit's name.
func short(name string) string {
	first, _, _ := strings.Cut(name, ",")
	return first
}

// thousands prints a whole number with separators.
func thousands(n float64) string {
	if math.IsInf(n, 1) {
		return "no limit"
	}
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
