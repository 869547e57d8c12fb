// Package usage counts what the local cloud did since its start, by service and
// operation and by request, in the units that AWS bills: the basis of the cost
// report.
package usage

import (
	"maps"
	"net/http"
	"sync"
)

// Meter counts. Its methods may be called concurrently.
type Meter struct {
	mu       sync.Mutex
	total    tally
	requests map[string]*tally
	order    []string // request ids, oldest first
}

// maxRequests bounds the memory of counts by request; older requests are forgotten.
const maxRequests = 100_000

// tally is one set of counts. A call that serves n requests counts 1/n for each.
type tally struct {
	calls    map[string]map[string]float64 // service, operation
	errors   map[string]map[string]float64 // service, operation:code
	counters map[string]float64
}

func newTally() tally {
	return tally{map[string]map[string]float64{}, map[string]map[string]float64{}, map[string]float64{}}
}

// New returns a meter at zero.
func New() *Meter {
	return &Meter{total: newTally(), requests: map[string]*tally{}}
}

// Counters of Add.
const (
	ReadUnits       = "dynamodb.readUnits"
	WriteUnits      = "dynamodb.writeUnits"
	IndexWriteUnits = "dynamodb.indexWriteUnits" // of the write units, those of indexes
	QueueRequests   = "sqs.requests"             // one per 64 KB, as billed
	Invocations     = "lambda.invocations"
	ColdStarts      = "lambda.coldStarts"
	GBSeconds       = "lambda.gbSeconds"
	FunctionErrors  = "lambda.errors"
	BytesStreamed   = "lambda.bytesStreamed" // of responses to InvokeWithResponseStream
	FramesSent      = "websocket.framesSent" // one per 32 KB, as billed
	FramesReceived  = "websocket.framesReceived"
	BytesSent       = "websocket.bytesSent"
	BytesReceived   = "websocket.bytesReceived"
	Connections     = "websocket.connections"
	RestRequests    = "rest.requests"
	RestBytesSent   = "rest.bytesSent"
	RestBytesIn     = "rest.bytesReceived"
	ModelCalls      = "bedrock.calls"
	ModelInTokens   = "bedrock.inputTokens"
	ModelOutTokens  = "bedrock.outputTokens"
)

// Call counts one call of an AWS API. body is searched for the ids of known
// requests.
func (m *Meter) Call(service, operation string, body []byte) {
	m.each(body, func(t *tally, share float64) { bump(t.calls, service, operation, share) })
}

// Error counts an error answered to a call.
func (m *Meter) Error(service, operation, code string, body []byte) {
	m.each(body, func(t *tally, share float64) { bump(t.errors, service, operation+":"+code, share) })
}

// Add adds to a counter. body is searched for the ids of known requests, which
// share what is added.
func (m *Meter) Add(counter string, amount float64, body []byte) {
	m.each(body, func(t *tally, share float64) { t.counters[counter] += amount * share })
}

// Invocation counts one invocation of a function: memoryMB times seconds of it,
// initialisation included.
func (m *Meter) Invocation(function string, memoryMB int, seconds float64, cold, failed bool, event []byte) {
	m.each(event, func(t *tally, share float64) {
		bump(t.calls, "lambda", function, share)
		t.counters[Invocations] += share
		t.counters[GBSeconds] += share * seconds * float64(memoryMB) / 1024
		if cold {
			t.counters[ColdStarts] += share
		}
		if failed {
			t.counters[FunctionErrors] += share
		}
	})
}

// each applies count to the total and to every known request that body names.
func (m *Meter) each(body []byte, count func(*tally, float64)) {
	found := findIDs(body)
	m.mu.Lock()
	defer m.mu.Unlock()
	count(&m.total, 1)
	known := m.known(found)
	for _, request := range known {
		count(request, 1/float64(len(known)))
	}
}

// known registers the ids that stand where only a request id can, and returns
// the tallies of all registered ones.
func (m *Meter) known(found []foundID) []*tally {
	var known []*tally
	for _, id := range found {
		request, ok := m.requests[id.text]
		if !ok && id.certain {
			request = m.register(id.text)
			ok = true
		}
		if ok {
			known = append(known, request)
		}
	}
	return known
}

func (m *Meter) register(id string) *tally {
	if len(m.order) == maxRequests {
		delete(m.requests, m.order[0])
		m.order = m.order[1:]
	}
	fresh := newTally()
	m.requests[id] = &fresh
	m.order = append(m.order, id)
	return &fresh
}

func bump(counts map[string]map[string]float64, service, operation string, amount float64) {
	if counts[service] == nil {
		counts[service] = map[string]float64{}
	}
	counts[service][operation] += amount
}

// Report is the JSON of /_local/usage.
type Report struct {
	Calls    map[string]map[string]float64 `json:"calls"`    // by service and operation
	Errors   map[string]map[string]float64 `json:"errors"`   // by service and operation:code
	Counters map[string]float64            `json:"counters"` // in billed units
}

func (t *tally) report() Report {
	return Report{Calls: cloneNested(t.calls), Errors: cloneNested(t.errors), Counters: maps.Clone(t.counters)}
}

func cloneNested(in map[string]map[string]float64) map[string]map[string]float64 {
	out := make(map[string]map[string]float64, len(in))
	for name, counts := range in {
		out[name] = maps.Clone(counts)
	}
	return out
}

// Total returns the counts since start.
func (m *Meter) Total() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total.report()
}

// Requests returns the counts by request id.
func (m *Meter) Requests() map[string]Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	reports := make(map[string]Report, len(m.requests))
	for id, request := range m.requests {
		reports[id] = request.report()
	}
	return reports
}

var _ http.Handler = (*Meter)(nil)
