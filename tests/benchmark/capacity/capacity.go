// Package capacity computes which limit of AWS stops a service first, from what
// one request uses and from the quotas that an account has by default. It is
// arithmetic: it measures nothing and calls nobody.
package capacity

import (
	"cmp"
	"math"
	"slices"
)

// Request is what one request uses, with an answer of usual length.
type Request struct {
	Seconds     float64 // from the first to the last token: how long its stream is open
	Rest        float64 // calls of the REST API
	Frames      float64 // posts to @connections
	Connects    float64 // sockets opened for it
	Invocations float64 // of all functions
	Processes   float64 // Lambda environments that a stream occupies; 0.1 if ten streams share one
	Queued      bool    // whether its message is in flight while it streams
	WriteUnits  float64 // of all tables
	ReadUnits   float64 // of all tables
	IndexWrites float64 // of the write units, those of the sweep's index
	Tokens      float64 // that Bedrock reserves for it: input and maxTokens
}

// Scope says what shares a limit, and so what has more of it.
type Scope string

// Scopes of limits.
const (
	PerAccount Scope = "account and Region" // another stack needs another account or Region
	PerStack   Scope = "stack"              // a further stack beside it has its own
)

// Limit is a quota and what a service needs of it.
type Limit struct {
	Name   string
	Value  float64
	Unit   string
	Scope  Scope
	Source string // where the value is from
	Remedy string // what to raise or switch
	// need is how much of it streams take that are open at once and begin at
	// rate a second.
	need func(r Request, streams, rate float64) float64
}

// Need is how much of the limit so many concurrent streams take.
func (l Limit) Need(r Request, streams float64) float64 {
	return l.need(r, streams, Rate(r, streams))
}

// Streams is how many concurrent streams the limit allows; +Inf if they need
// none of it.
func (l Limit) Streams(r Request) float64 {
	each := l.Need(r, 1)
	if each == 0 {
		return math.Inf(1)
	}
	return math.Floor(l.Value / each)
}

// Rate is how many requests a second keep so many streams open (Little's law).
func Rate(r Request, streams float64) float64 { return streams / r.Seconds }

// Order returns the limits in the order in which they bind.
func Order(r Request, limits []Limit) []Limit {
	return slices.SortedStableFunc(slices.Values(limits), func(a, b Limit) int {
		return cmp.Compare(a.Streams(r), b.Streams(r))
	})
}

// Exceeded returns the limits that so many streams exceed, the one that binds
// first before the others.
func Exceeded(r Request, streams float64, limits []Limit) []Limit {
	return slices.DeleteFunc(Order(r, limits), func(l Limit) bool { return l.Need(r, streams) <= l.Value })
}

// Stacks is how many stacks so many streams need at least for the limits that
// each stack has of its own.
func Stacks(r Request, streams float64, limits []Limit) int {
	most := 1.0
	for _, l := range limits {
		if l.Scope == PerStack {
			most = max(most, math.Ceil(l.Need(r, streams)/l.Value))
		}
	}
	return int(most)
}

// Ramp is how many seconds Lambda takes from nothing to so many streams: for a
// function that clients call, and for the processor behind its queue.
func Ramp(r Request, streams float64) (called, polled float64) {
	processes := streams * r.Processes
	return math.Ceil(processes/environmentsPerRamp) * rampSeconds,
		math.Ceil(max(0, processes-pollersAtFirst) * 60 / pollersPerMinute)
}
