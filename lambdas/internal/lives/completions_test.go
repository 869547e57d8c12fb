package lives_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/completions"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
	"github.com/streaming-service/streaming-service/protocol"
)

// streamedCall is an event whose answer is read as it comes.
type streamedCall struct {
	request events.APIGatewayProxyRequest
	client  *reading
}

func startCompletions(p *process) handler {
	c, s := p.clients(), p.world.settings
	hub := sockets.NewBroadcaster(c.sockets, c.store)
	services := *c.services
	services.Poster = hub
	f := &completions.Function{
		API:    &httpapi.API{ClientID: clientID, Log: c.log},
		Models: []string{modelID},
		Admission: &admission.Service{
			Store: c.store, Queue: c.queue, Life: &services,
			Prices: s.prices(), Breaker: admission.NewBreaker(s.serviceBudget, p.now), Tiers: s.tiers, Calendar: s.calendar, Rate: life.NewRate(s.rate, s.burst), Cap: s.cap,
			Model:    admission.Model{ID: modelID, Allowed: []string{modelID}, MaxTokens: maxTokens, AllowSystem: true},
			InputTTL: maxAge + retention, Now: p.now, Log: c.log,
		},
		Attempts: attempt.New(attempt.Deps{
			Store: c.store, Life: &services, Model: bedrock.New(c.config, bedrock.Options{}), Hub: hub, Backoff: c.backoff, Log: c.log,
		}, attempt.Options{LogTTL: maxAge + retention, Now: p.now}),
		Store: c.store, Life: &services, Queue: c.queue, Now: p.now, Log: c.log,
	}
	return func(ctx context.Context, event any) (any, error) {
		call, err := as[streamedCall](event)
		if err != nil {
			return nil, err
		}
		p.work(events.SQSEvent{})
		response, err := f.Serve(ctx, call.request)
		if err != nil {
			return nil, err
		}
		begun := response.Begin()
		call.client.begin(p, begun)
		_, err = io.Copy(writerOf(func(piece []byte) { call.client.hear(p, piece) }), begun.Body)
		return nil, err
	}
}

// writerOf is a writer that never fails: a function runs on without its reader.
type writerOf func(piece []byte)

func (w writerOf) Write(piece []byte) (int, error) {
	w(piece)
	return len(piece), nil
}

// reading is a completion as its client reads it.
type reading struct {
	onBegin func(requestID string) // when the head of the answer arrives

	mu     sync.Mutex
	gone   bool // the client hung up
	status int  // 0: no answer yet
	id     string
	kind   string // of the content
	body   strings.Builder
	whole  bool // the body was read to its end
}

// begin takes the head of an answer.
func (r *reading) begin(p *process, response *events.APIGatewayProxyStreamingResponse) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone || p.dead() {
		return
	}
	r.status, r.id, r.kind = response.StatusCode, response.Headers["x-request-id"], response.Headers["Content-Type"]
	if r.id != "" {
		r.onBegin(r.id)
	}
}

func (r *reading) hear(p *process, piece []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.gone && !p.dead() {
		r.body.Write(piece)
	}
}

// end is how the gateway ends the answer of a function that returned well, or
// did not.
func (r *reading) end(well bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return
	}
	r.whole = well && r.status != 0
	if r.status == 0 {
		r.status = http.StatusBadGateway
	}
}

func (r *reading) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
}

// complete asks for a completion as a user, and reads it until it ends, breaks
// off, or the client hangs up after a while; 0: never.
func (g *gateway) complete(user, body, key string, patience time.Duration, onBegin func(string)) heard {
	r := &reading{onBegin: onBegin}
	call := streamedCall{client: r, request: events.APIGatewayProxyRequest{
		HTTPMethod: http.MethodPost, Resource: httpapi.ResourceChatCompletions, Body: body, Headers: map[string]string{},
		RequestContext: events.APIGatewayProxyRequestContext{Authorizer: map[string]any{
			"claims": map[string]any{"sub": user, "aud": clientID, "token_use": "id"},
		}},
	}}
	if key != "" {
		call.request.Headers["idempotency-key"] = key
	}
	if patience == 0 && g.world.dice.happens(func(r rates) float64 { return r.answer }, "completions.lostAnswer") {
		patience = g.world.dice.between(1, 10*time.Second)
	}
	ended := make(chan struct{})
	g.world.running.Go(func() {
		defer close(ended)
		_, well := g.world.functions["completions"].invoke(call)
		r.end(well)
	})
	var hungUp <-chan time.Time
	if patience > 0 {
		hungUp = time.After(patience)
	}
	select {
	case <-ended:
	case <-hungUp:
		g.world.dice.count("completions.hungUp")
		r.hangUp()
	}
	return r.heard()
}

// heard is what a client makes of a completion.
type heard struct {
	id       string
	status   int  // 0: none was read
	streamed bool // as events
	whole    bool // to the end of the body
	text     string
	reason   string // finish_reason; "": none was read
	done     bool   // the end of a stream, or a whole answer in one piece, was read
	code     string // of the error
	failed   bool   // an error was read
	strange  string // what no client could read
}

func (r *reading) heard() heard {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := heard{id: r.id, status: r.status, whole: r.whole, streamed: strings.HasPrefix(r.kind, "text/event-stream")}
	if h.streamed {
		h.readEvents(r.body.String())
	} else if r.whole {
		h.readWhole(r.body.String())
	}
	return h
}

// readEvents reads what is complete of a stream.
func (h *heard) readEvents(body string) {
	for {
		event, rest, complete := strings.Cut(body, "\n\n")
		if !complete {
			return
		}
		body = rest
		data, is := strings.CutPrefix(event, "data: ")
		switch {
		case strings.HasPrefix(event, ":"): // a heartbeat
		case !is, h.done, h.failed:
			h.strange = event
		case data == "[DONE]":
			h.done = true
		default:
			h.readData(data)
		}
	}
}

func (h *heard) readData(data string) {
	var d struct {
		Choices []struct {
			Delta        struct{ Content string }
			FinishReason string `json:"finish_reason"`
		}
		Error *struct{ Code string }
	}
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		h.strange = data
		return
	}
	if d.Error != nil {
		h.failed, h.code = true, d.Error.Code
	}
	for _, c := range d.Choices {
		if h.reason != "" {
			h.strange = data
		}
		h.text += c.Delta.Content
		h.reason = c.FinishReason
	}
}

func (h *heard) readWhole(body string) {
	var d struct {
		Choices []struct {
			Message      struct{ Content string }
			FinishReason string `json:"finish_reason"`
		}
		Error *struct{ Code string }
	}
	err := json.Unmarshal([]byte(body), &d)
	switch {
	case err == nil && d.Error != nil:
		h.failed, h.code = true, d.Error.Code
	case err == nil && len(d.Choices) == 1:
		h.done, h.text, h.reason = true, d.Choices[0].Message.Content, d.Choices[0].FinishReason
	default:
		h.strange = body
	}
}

// goesOn reports whether what was read leaves open how the request ends.
func (h heard) goesOn() bool {
	return !h.done && (!h.failed || h.code == string(protocol.CodeUnavailable) || h.id == "" && h.status >= http.StatusInternalServerError)
}
