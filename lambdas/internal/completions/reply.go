package completions

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/protocol"
)

// When a response begins before its answer does. API Gateway cuts a response
// that says nothing for five minutes.
const (
	pulseEvery    = 15 * time.Second
	wholePatience = 4 * time.Minute // of an answer in one piece, which can still become an error
)

const (
	contentJSON   = "application/json"
	contentEvents = "text/event-stream; charset=utf-8"
)

// errBegunAgain ends a response of which the client has read what another
// attempt will say otherwise.
var errBegunAgain = errors.New("the answer began again")

// reply is the response to one call, as its answer comes in.
type reply struct {
	openai.Answer
	streamed bool // as events; else in one piece
	header   map[string]string
	feed     *feed

	mu       sync.Mutex
	said     *protocol.Answer // so far, by one attempt
	told     extent           // of it
	thoughts int              // blocks of sealed reasoning that were written
	started  bool             // the first event was written
	broken   error            // how a body in one piece breaks off

	once   sync.Once
	begun  chan struct{} // closed when the status is known
	status int
	kind   string // of the content
}

func newReply(asked openai.Request, admitted admission.Admitted, now time.Time) *reply {
	r := &reply{
		Answer: openai.Answer{
			RequestID: admitted.Record.RequestID, Created: admitted.Record.CreatedAt,
			Model: admitted.Record.Model.ModelID, IncludeUsage: asked.IncludeUsage,
		},
		streamed: asked.Stream,
		header:   openai.RateLimits(admitted.Usage, now),
		said:     new(protocol.Answer),
		begun:    make(chan struct{}),
	}
	r.header[openai.HeaderRequestID] = admitted.Record.RequestID
	pulse := " " // before a JSON value
	if r.streamed {
		pulse = openai.Heartbeat
	}
	r.feed = newFeed(pulse, pulseEvery)
	return r
}

// response waits until it is known how the response begins.
func (r *reply) response() *events.APIGatewayProxyStreamingResponse {
	patience := wholePatience
	if r.streamed {
		patience = pulseEvery
	}
	timer := time.AfterFunc(patience, r.begin)
	defer timer.Stop()
	<-r.begun
	return &events.APIGatewayProxyStreamingResponse{
		StatusCode: r.status,
		Headers:    headersOf(r.header, r.kind),
		Body:       r.feed,
	}
}

// begin begins a response that is well so far, with what was written to it.
func (r *reply) begin() {
	kind := contentJSON
	if r.streamed {
		kind = contentEvents
	}
	if r.beginAs(http.StatusOK, kind, nil) {
		runtime.Gosched() // its first word goes ahead of what else that sets going
	}
}

// beginAs reports whether it was the one that began the response.
func (r *reply) beginAs(status int, kind string, header map[string]string) (first bool) {
	r.once.Do(func() {
		first = true
		r.status, r.kind = status, kind
		maps.Copy(r.header, header)
		close(r.begun)
	})
	return first
}

// take adds a piece of the model's answer.
func (r *reply) take(piece model.Delta) {
	switch {
	case piece.Kind == model.KindText:
		r.add(protocol.DeltaFrame("", 0, 0, piece.Text))
	case piece.ToolUse != nil:
		r.add(protocol.ToolUseFrame("", 0, 0, piece.ToolUse.ID, piece.ToolUse.Name, piece.ToolUse.Input))
	case piece.Redacted != nil:
		r.add(protocol.RedactedFrame("", 0, 0, piece.Redacted))
	case piece.Kind == model.KindReasoning:
		r.add(protocol.ReasoningFrame("", 0, 0, piece.Text, piece.Signature))
	}
}

// add adds what a frame of the attempt carries to the answer.
func (r *reply) add(f protocol.Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said.Add(f)
	r.tell()
}

// catchUp takes the log's answer for that of the attempt, of which it is one and
// the same from the beginning. It may have other cuts, and not yet all that the
// attempt has told.
func (r *reply) catchUp(log *protocol.Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if extentOf(log).reaches(r.told) {
		r.said = log
		r.tell()
	}
}

// extent is how far an answer has come.
type extent struct{ text, reasoning, thoughts, uses int }

func extentOf(a *protocol.Answer) extent {
	return extent{len(a.Text()), len(a.Reasoning()), len(openai.ThoughtsOf(a.Content())), len(a.ToolUses())}
}

// reaches reports whether it is at least as far as another in all respects.
func (e extent) reaches(other extent) bool {
	return e.text >= other.text && e.reasoning >= other.reasoning && e.thoughts >= other.thoughts && e.uses >= other.uses
}

// tell writes what the answer has more than was told of it, if it is streamed.
func (r *reply) tell() {
	before := r.told
	r.told = extentOf(r.said)
	if !r.streamed {
		return
	}
	if more := r.said.Reasoning()[before.reasoning:]; more != "" {
		r.event(r.Reasoning(more))
	}
	content := r.said.Content()
	r.tellThoughts(content[:max(0, len(content)-1)]) // the seal of the last may go on
	if more := r.said.Text()[before.text:]; more != "" {
		r.event(r.Content(more))
	}
	for i, use := range r.said.ToolUses()[before.uses:] {
		r.event(r.ToolCall(before.uses+i, use))
	}
}

// tellThoughts writes the sealed reasoning of complete blocks that was not yet
// told.
func (r *reply) tellThoughts(content []protocol.Block) {
	sealed := openai.ThoughtsOf(content)
	if r.thoughts < len(sealed) {
		r.event(r.Thoughts(sealed[r.thoughts:]))
		r.thoughts = len(sealed)
	}
}

// event writes one event of the answer, after the first one.
func (r *reply) event(event []byte) {
	r.start()
	_, _ = r.feed.Write(event)
	r.begin()
}

// start writes the first event before any other.
func (r *reply) start() {
	if !r.started {
		r.started = true
		_, _ = r.feed.Write(r.Start())
	}
}

// beginAgain drops the answer of an attempt that was given up. It reports false
// if the client has read of it.
func (r *reply) beginAgain() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streamed && r.started {
		return false
	}
	r.said, r.told = new(protocol.Answer), extent{}
	return true
}

// end completes the response as its request ended.
func (r *reply) end(ended life.Record) {
	reason, failure := openai.End(life.EndFrame(ended))
	if failure != nil {
		r.fail(failure)
		return
	}
	var spent protocol.TokenUsage
	if ended.Usage != nil {
		spent = *ended.Usage
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streamed {
		r.start()
		r.tellThoughts(r.said.Content())
		_, _ = r.feed.Write(bytes.Join([][]byte{r.Finish(reason), r.Usage(spent), []byte(openai.Done)}, nil))
	} else {
		_, _ = r.feed.Write(r.Whole(r.said, reason, spent))
	}
	r.begin()
}

// fail ends the response with an error: as its status if it has not begun, else
// as its last event. A body in one piece can only break off.
func (r *reply) fail(failure *openai.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.beginAs(failure.Status, contentJSON, failure.Header):
		_, _ = r.feed.Write(failure.Body())
	case r.streamed:
		_, _ = r.feed.Write(failure.Event())
	default:
		r.broken = failure
	}
}

// close ends the response's body. The function is frozen when that was read, so
// it is the last thing that happens.
func (r *reply) close() {
	r.begin()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feed.Finish(r.broken)
}

// whole is a response in one piece.
func whole(status int, header map[string]string, body []byte) opening {
	return func() *events.APIGatewayProxyStreamingResponse {
		return &events.APIGatewayProxyStreamingResponse{
			StatusCode: status,
			Headers:    headersOf(header, contentJSON),
			Body:       bytes.NewReader(body),
		}
	}
}
