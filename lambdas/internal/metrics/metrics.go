// Package metrics writes CloudWatch metrics in the embedded metric format: one
// JSON line each, straight to the output, so that no log level filters them.
package metrics

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// Names of the metrics.
const (
	Admitted          = "Admitted"          // requests answered 202 for the first time
	Replayed          = "Replayed"          // requests answered 202 again
	Refused           = "Refused"           // admissions refused, by Reason
	Refunded          = "Refunded"          // requests given back
	SettleFailures    = "SettleFailures"    // settlements that failed; tried again
	InputTokens       = "InputTokens"       // settled
	OutputTokens      = "OutputTokens"      // settled
	ExcessTokens      = "ExcessTokens"      // charged beyond the estimate of the admission
	Cost              = "Cost"              // settled, in dollars, by Model
	InputCost         = "InputCost"         // of it, of input beside the cache, by Model
	OutputCost        = "OutputCost"        // of it, of output, by Model
	CacheReadCost     = "CacheReadCost"     // of it, of input from the cache, by Model
	CacheWriteCost    = "CacheWriteCost"    // of it, of input into the cache, by Model
	ExcessCost        = "ExcessCost"        // charged beyond what was reserved, in dollars
	ServiceBudgetUsed = "ServiceBudgetUsed" // percent of quota.serviceMonthlyBudget
	Ended             = "Ended"             // requests settled, by Reason: status or error code
	Resent            = "Resent"            // messages sent again
	DeadLettered      = "DeadLettered"      // messages that the dead-letter queue brought
	Unreadable        = "Unreadable"        // messages that nobody can read
	NotSwept          = "NotSwept"          // accounts with requests open for long that a sweep had no time for
	Healed            = "Healed"            // reservations released by the sweep
	TimeToFirstDelta  = "TimeToFirstDelta"  // from claim to the first delta
	StreamDuration    = "StreamDuration"    // from claim to the end of an attempt
	Frames            = "Frames"            // posted
	GoneSockets       = "GoneSockets"       // posts to sockets that were gone
	LostFrames        = "LostFrames"        // given up on a slow socket
	ThrottledPosts    = "ThrottledPosts"    // posts that API Gateway throttled
	ModelThrottles    = "ModelThrottles"    // calls that the model throttled
	UnknownDeltas     = "UnknownDeltas"     // pieces of answers that this version does not know
	InternalErrors    = "InternalErrors"    // invocations that failed inside
)

// Dimensions that split a metric.
const (
	Reason = "Reason" // by cause
	Model  = "Model"  // by model
)

// serviceDimension is the dimension of every metric.
const serviceDimension = "Service"

// Unit is a unit of CloudWatch.
type Unit string

// The units in use.
const (
	UnitCount        Unit = "Count"
	UnitMilliseconds Unit = "Milliseconds"
	UnitPercent      Unit = "Percent"
	UnitNone         Unit = "None" // CloudWatch has none of money
)

// Value is one measurement.
type Value struct {
	Name   string
	Unit   Unit
	Number float64
}

// Count is a measurement of n things.
func Count(name string, n int64) Value { return Value{name, UnitCount, float64(n)} }

// Dollars is a measurement of money.
func Dollars(name string, amount protocol.USD) Value { return Value{name, UnitNone, amount.Dollars()} }

// Percent is a measurement of a part of 100.
func Percent(name string, n float64) Value { return Value{name, UnitPercent, n} }

// Duration is a measurement of time.
func Duration(name string, d time.Duration) Value {
	return Value{name, UnitMilliseconds, float64(d.Microseconds()) / 1000}
}

// Recorder writes metrics. A nil Recorder writes none.
type Recorder struct {
	mu        sync.Mutex
	out       io.Writer
	namespace string
	service   string
	now       func() time.Time
}

// New returns a recorder of one service's metrics.
func New(out io.Writer, namespace, service string) *Recorder {
	return &Recorder{out: out, namespace: namespace, service: service, now: time.Now}
}

// Record writes measurements of the whole service.
func (r *Recorder) Record(values ...Value) { r.write("", "", values) }

// RecordBy writes measurements for one reason, and for the whole service.
func (r *Recorder) RecordBy(reason string, values ...Value) { r.write(Reason, reason, values) }

// RecordOf writes measurements of one model, and of the whole service.
func (r *Recorder) RecordOf(model string, values ...Value) { r.write(Model, model, values) }

type metric struct {
	Name string `json:"Name"`
	Unit Unit   `json:"Unit"`
}

type directive struct {
	Namespace  string     `json:"Namespace"`
	Dimensions [][]string `json:"Dimensions"`
	Metrics    []metric   `json:"Metrics"`
}

type metadata struct {
	Timestamp         int64       `json:"Timestamp"`
	CloudWatchMetrics []directive `json:"CloudWatchMetrics"`
}

func (r *Recorder) write(dimension, of string, values []Value) {
	if r == nil || len(values) == 0 {
		return
	}
	d := directive{Namespace: r.namespace, Dimensions: [][]string{{serviceDimension}}}
	line := map[string]any{serviceDimension: r.service}
	if of != "" {
		d.Dimensions = append(d.Dimensions, []string{serviceDimension, dimension})
		line[dimension] = of
	}
	for _, v := range values {
		d.Metrics = append(d.Metrics, metric{v.Name, v.Unit})
		line[v.Name] = v.Number
	}
	line["_aws"] = metadata{r.now().UnixMilli(), []directive{d}}
	encoded, err := json.Marshal(line)
	if err != nil {
		return // a number that JSON cannot hold is no measurement
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.out.Write(append(encoded, '\n'))
}
