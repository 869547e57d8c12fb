// Package completions answers the Chat Completions API of OpenAI, behind the
// same limits as every other request. A call is admitted as an attempt of its
// own, whose answer it hands on as it comes; if the function dies, the queue's
// attempt takes over.
package completions

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/lambdas/internal/responsestreaming"
	"github.com/streaming-service/streaming-service/protocol"
)

const (
	// admissionTimeout bounds what happens before a request is admitted: API
	// Gateway waits for 15 minutes, a client does not.
	admissionTimeout = 10 * time.Second
	// callTimeout bounds a call to the queue, and a look at a followed request.
	callTimeout = 3 * time.Second
)

// Headers that a page of an allowed origin may read.
const (
	headerExposed  = "Access-Control-Expose-Headers"
	exposedHeaders = "Retry-After, x-request-id, x-should-retry, " +
		"x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, " +
		"x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"
)

// Admission admits requests. Its method is that of admission.Service.
type Admission interface {
	Start(ctx context.Context, r httpapi.Request, submission []byte, claim life.Claim) (admission.Admitted, error)
}

// Attempts run claimed requests. Its methods are those of attempt.Runner.
type Attempts interface {
	Run(ctx context.Context, record life.Record, hold attempt.Hold) attempt.Verdict
	CountPosts()
}

// Store is what following a request reads.
type Store interface {
	Record(ctx context.Context, key life.Key) (life.Record, error)
	Chunks(ctx context.Context, requestID, owner string, afterSeq int) ([]life.Chunk, error)
}

// Life gives a request what it needs that does not move by itself.
type Life interface {
	Heal(ctx context.Context, record life.Record) (bool, error)
}

// Queue brings requests to the processor.
type Queue interface {
	Send(ctx context.Context, key life.Key) error
}

// Function answers the calls of the Chat Completions API.
type Function struct {
	API       *httpapi.API // who may call
	Models    []string     // ids that a request may name
	Admission Admission
	Attempts  Attempts
	Store     Store
	Life      Life
	Queue     Queue
	Lease     time.Duration // default: life.DefaultLease
	Now       life.Now
	Log       *slog.Logger
}

// Serve answers one event. It never fails: what goes wrong is an answer too.
func (f *Function) Serve(ctx context.Context, event events.APIGatewayProxyRequest) (*responsestreaming.Response, error) {
	open := f.answer(ctx, event)
	return responsestreaming.Awaited(func() *events.APIGatewayProxyStreamingResponse {
		response := open()
		f.API.AllowOrigin(event, response.Headers)
		if response.Headers[headerExposed] != "" {
			response.Headers[headerExposed] = exposedHeaders
		}
		f.Log.DebugContext(ctx, "response begins", "status", response.StatusCode)
		return response
	}), nil
}

// opening waits until it is known how a response begins.
type opening func() *events.APIGatewayProxyStreamingResponse

func (f *Function) answer(ctx context.Context, event events.APIGatewayProxyRequest) opening {
	request, err := f.API.Read(event)
	if err != nil {
		return f.refuse(ctx, err)
	}
	switch (httpapi.Route{Method: event.HTTPMethod, Resource: event.Resource}) {
	case httpapi.Route{Method: http.MethodGet, Resource: httpapi.ResourceModels}:
		return whole(http.StatusOK, nil, openai.Models(f.Models))
	case httpapi.Route{Method: http.MethodPost, Resource: httpapi.ResourceChatCompletions}:
		return f.complete(ctx, request)
	}
	return f.refuse(ctx, httpapi.NewError(protocol.CodeNotFound, fmt.Sprintf("There is no %s %s here.", event.HTTPMethod, event.Path)))
}

// complete answers POST /chat/completions. The response begins with the first
// word of the answer, or with the error that comes instead.
func (f *Function) complete(ctx context.Context, r httpapi.Request) opening {
	asked, invalid := openai.Parse(r.Body)
	if invalid != nil {
		return f.refuse(ctx, invalid)
	}
	admitted, err := f.start(ctx, r, asked)
	if err != nil {
		return f.refuse(ctx, asked.Names.AsError(err))
	}
	reply := newReply(asked, admitted, f.Now())
	go f.run(ctx, admitted, reply)
	return reply.response
}

func (f *Function) start(ctx context.Context, r httpapi.Request, asked openai.Request) (admission.Admitted, error) {
	ctx, cancel := context.WithTimeout(ctx, admissionTimeout)
	defer cancel()
	return f.Admission.Start(ctx, r, protocol.Encode(asked.Submit), life.Claim{Owner: life.NewOwner(), Lease: f.lease()})
}

func (f *Function) lease() time.Duration {
	if f.Lease > 0 {
		return f.Lease
	}
	return life.DefaultLease
}

// run takes an admitted request to its end, while the response is read. All that
// it started is over when the response ends: then the function is frozen.
func (f *Function) run(ctx context.Context, admitted admission.Admitted, reply *reply) {
	key := admitted.Record.Key
	log := f.Log.With("requestId", key.RequestID)
	defer reply.close()
	defer func() {
		if r := recover(); r != nil {
			log.ErrorContext(ctx, "panic while answering", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			reply.fail(interrupted(key, errPanic))
		}
	}()
	if admitted.Replayed {
		f.follow(ctx, key, beginning(0), reply)
		return
	}
	verdict := f.Attempts.Run(ctx, admitted.Record, attempt.Hold{
		Input: &admitted.Input, OnDelta: reply.take, Irrevocable: reply.streamed, Log: log,
	})
	f.Attempts.CountPosts()
	if verdict.Err != nil {
		log.WarnContext(ctx, "request left to the queue", "error", verdict.Err)
	}
	if verdict.Ended.Status.Terminal() {
		reply.end(verdict.Ended)
		return
	}
	f.handOver(ctx, key, log)
	f.follow(ctx, key, beginning(admitted.Record.Attempt), reply)
}

// handOver brings the request to the processor now. If that fails, the message
// that stands by since the admission does it.
func (f *Function) handOver(ctx context.Context, key life.Key, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := f.Queue.Send(ctx, key); err != nil {
		log.WarnContext(ctx, "request not sent", "error", err)
	}
}

// refuse answers a call that comes to nothing.
func (f *Function) refuse(ctx context.Context, err error) opening {
	refusal := openai.AsError(err)
	if refusal.Status >= http.StatusInternalServerError {
		f.Log.ErrorContext(ctx, "call failed", "status", refusal.Status, "error", refusal.Cause)
	}
	return whole(refusal.Status, refusal.Header, refusal.Body())
}

// headersOf are the headers of every response.
func headersOf(more map[string]string, contentType string) map[string]string {
	headers := map[string]string{"Cache-Control": "no-store", "Content-Type": contentType}
	maps.Copy(headers, more)
	return headers
}
