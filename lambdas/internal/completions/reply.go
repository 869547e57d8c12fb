package completions

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"runtime"
	"strings"
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

	mu      sync.Mutex
	text    strings.Builder // of an answer in one piece
	written int             // bytes of text
	started bool            // the first event was written
	broken  error           // how a body in one piece breaks off

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
	if piece.Kind == model.KindText {
		r.write(piece.Text)
	}
}

// write adds to the answer. Nothing is no piece of it.
func (r *reply) write(text string) {
	if text == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written += len(text)
	if !r.streamed {
		r.text.WriteString(text)
		return
	}
	r.start()
	_, _ = r.feed.Write(r.Content(text))
	r.begin()
}

// length is how many bytes of text the answer has so far.
func (r *reply) length() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.written
}

// start writes the first event before any other.
func (r *reply) start() {
	if !r.started {
		r.started = true
		_, _ = r.feed.Write(r.Start())
	}
}

// beginAgain drops the text of an attempt that was given up. It reports false if
// the client has read of it.
func (r *reply) beginAgain() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streamed && r.written > 0 {
		return false
	}
	r.text.Reset()
	r.written = 0
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
		_, _ = r.feed.Write(bytes.Join([][]byte{r.Finish(reason), r.Usage(spent), []byte(openai.Done)}, nil))
	} else {
		_, _ = r.feed.Write(r.Whole(r.text.String(), reason, spent))
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
func whole(status int, header map[string]string, body []byte) *events.APIGatewayProxyStreamingResponse {
	return &events.APIGatewayProxyStreamingResponse{
		StatusCode: status,
		Headers:    headersOf(header, contentJSON),
		Body:       bytes.NewReader(body),
	}
}
