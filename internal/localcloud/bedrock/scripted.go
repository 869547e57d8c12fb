package bedrock

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Fault is what befalls one stream besides its script.
type Fault struct {
	Error       string // in-stream exception, such as throttlingException
	Truncate    bool   // clean end without messageStop
	Hang        bool   // stalls until the client leaves
	AfterTokens int    // when it strikes
}

// Usage is what one call consumed.
type Usage struct {
	Model        string
	InputTokens  int
	OutputTokens int
	Body         []byte // of the request; not to be kept
}

// Option sets something about a Scripted model.
type Option func(*Scripted)

// WithFaults asks decide about each stream.
func WithFaults(decide func() Fault) Option { return func(s *Scripted) { s.fault = decide } }

// WithMeter tells meter of each stream when it has ended.
func WithMeter(meter func(Usage)) Option { return func(s *Scripted) { s.meter = meter } }

// WithWait lets wait pass the time before each answer. Default: a timer of Go, and
// so of fake time.
func WithWait(wait func(context.Context, time.Duration) error) Option {
	return func(s *Scripted) { s.wait = wait }
}

// WithScript sets the script of requests that bring none.
func WithScript(script string) Option { return func(s *Scripted) { s.standard = script } }

// Scripted is the scripted model as an HTTP handler for
// POST /model/{modelId}/converse-stream.
type Scripted struct {
	guard    awsapi.Guard
	fault    func() Fault
	meter    func(Usage)
	wait     func(context.Context, time.Duration) error
	standard string
	attempts attempts
	cache    cache
}

// NewScripted returns the scripted model behind a guard.
func NewScripted(guard awsapi.Guard, options ...Option) *Scripted {
	s := &Scripted{guard: guard, fault: func() Fault { return Fault{} }, meter: func(Usage) {}, wait: pause, attempts: attempts{seed: maphash.MakeSeed()}, cache: cache{seed: maphash.MakeSeed()}}
	for _, option := range options {
		option(s)
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	call, refused := admit(s.guard, r)
	if refused != nil {
		writeError(w, refused)
		return
	}
	if call.lost {
		awsapi.Drop(w)
		return
	}
	if refused := call.request.validate(call.model); refused != nil {
		writeError(w, refused)
		return
	}
	if err := s.wait(r.Context(), leastLatency); err != nil {
		return
	}
	s.answer(w, r, call, begun)
}

// leastLatency is before every answer. No real model is faster, and an answer
// that overtakes the client's own write loop makes the AWS SDK for Go cut the
// connection: its request body, closed on the answer, then reports io.EOF from
// WriteTo (smithy-go v1.28.8, transport/http/internal/io), which net/http takes
// for a failed write.
const leastLatency = 5 * time.Millisecond

// call is an admitted call of ConverseStream.
type call struct {
	model   model
	body    []byte
	request *request
	lost    bool // its response
}

// admit reads a call and asks the guard.
func admit(guard awsapi.Guard, r *http.Request) (call, *awsapi.Error) {
	m, refused := modelOf(r)
	if refused != nil {
		return call{}, refused
	}
	body, refused := awsapi.ReadBody(r, maxBody)
	if refused != nil {
		return call{}, refused
	}
	req, refused := parseRequest(body)
	if refused != nil {
		return call{}, refused
	}
	lost, refused := guard.Admit(r.Context(), awsapi.Call{
		Service: "bedrock-runtime", Operation: "ConverseStream", AccessKeyID: awsapi.AccessKeyID(r),
		Permissions: req.permissions(m), Body: body,
	})
	return call{m, body, req, lost}, refused
}

func (s *Scripted) answer(w http.ResponseWriter, r *http.Request, call call, begun time.Time) {
	req := call.request
	script, err := ParseScript(req.script(s.standard))
	if err != nil {
		writeError(w, validation(err.Error()))
		return
	}
	strikes := s.strikes(&script, req)
	if name := beforeStream(strikes); name != "" {
		writeError(w, httpError(name))
		return
	}
	most := 0
	if req.Inference.MaxTokens != nil {
		most = *req.Inference.MaxTokens
	}
	calls, err := req.calls(script)
	if err != nil {
		writeError(w, validation(err.Error()))
		return
	}
	if script.Reasoning < 0 && req.reasons() {
		script.Reasoning = defaultReasoning
	}
	if script.Echo && len(calls) == 0 {
		script.Text = new(req.echo())
	}
	reply := Answer(req.prompt(), script, most, req.Inference.StopSequences, calls...)
	input := s.input(call, script)
	out := newStream(w, begun)
	w.Header().Set("x-amzn-RequestId", awsapi.NewRequestID())
	err = out.run(r.Context(), reply, script, strikes)
	if err == nil {
		err = out.end(reply.StopReason, input, script.Usage)
	}
	s.meter(Usage{call.model.id, input.fresh + input.read + input.written, out.sent, call.body})
	if errors.Is(err, errDropped) {
		awsapi.Drop(w)
	}
}

// input counts the input of a call: what is read from the cache and what is
// written there are not among the rest.
func (s *Scripted) input(call call, script Script) inputTokens {
	read, written := s.cache.use(call.model.id, call.request)
	in := inputTokens{read: read, written: written}
	if in.fresh = script.Input; in.fresh < 0 {
		in.fresh = max(0, call.request.inputTokens()-read-written)
	}
	if script.Cached >= 0 {
		in.read = script.Cached
	}
	if script.Written >= 0 {
		in.written = script.Written
	}
	return in
}

// strikes are those of the script and that of the fault injector. When its
// attempts are over, the script has none and is not Empty any more.
func (s *Scripted) strikes(script *Script, req *request) []strike {
	if (script.Empty || len(script.Strikes) > 0) && script.Times > 0 && s.attempts.next(req) > script.Times {
		script.Empty, script.Strikes = false, nil
	}
	strikes := slices.Clone(script.Strikes)
	switch fault := s.fault(); {
	case fault.Error != "":
		strikes = append(strikes, strike{strikeError, canonical(fault.Error), fault.AfterTokens})
	case fault.Truncate:
		strikes = append(strikes, strike{strikeTruncate, "", fault.AfterTokens})
	case fault.Hang:
		strikes = append(strikes, strike{strikeHang, "", fault.AfterTokens})
	}
	return strikes
}

// inStreamOnly are exceptions that have no HTTP form: they strike after messageStart.
var inStreamOnly = []string{"modelStreamErrorException"}

// beforeStream returns the error that is answered instead of a stream.
func beforeStream(strikes []strike) string {
	for _, s := range strikes {
		if s.kind == strikeError && s.after == 0 && !slices.Contains(inStreamOnly, s.name) {
			return s.name
		}
	}
	return ""
}

// attempts counts the calls of each request, for as many requests as matter.
type attempts struct {
	seed maphash.Seed

	mu       sync.Mutex
	current  map[uint64]int
	previous map[uint64]int // before current was full
}

// attemptsKept is how many requests one generation of counts holds.
const attemptsKept = 50_000

// next counts a call of a request and returns its number, from 1.
func (a *attempts) next(req *request) int {
	key := maphash.String(a.seed, "prompt\x00"+req.prompt())
	if id := req.RequestMetadata["requestId"]; id != "" {
		key = maphash.String(a.seed, "request\x00"+id)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil || len(a.current) >= attemptsKept {
		a.previous, a.current = a.current, map[uint64]int{}
	}
	count, counted := a.current[key]
	if !counted {
		count = a.previous[key]
	}
	a.current[key] = count + 1
	return count + 1
}
