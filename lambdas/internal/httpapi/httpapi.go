// Package httpapi is what the functions behind the REST API share: who calls,
// which handler answers, and how answers and errors look on the wire.
package httpapi

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/allowlist"
	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/caller"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/protocol"
)

const headerRetryAfter = "Retry-After"

// closingTime is what a handler leaves of the function's time: a call that
// hangs is answered 503, which is safe to repeat, before the function is killed
// and API Gateway has no answer at all.
const closingTime = 500 * time.Millisecond

// Resources of the API, as API Gateway names them, with the methods that some
// function answers.
const (
	ResourceRequests = "/requests"
	ResourceRequest  = "/requests/{requestId}"
	ResourceUsage    = "/usage"
	ResourceDocument = "/openapi.json"
	ResourceKeys     = "/keys"
	ResourceKey      = "/keys/{keyId}"
	ResourceUploads  = "/uploads"

	ResourceChatCompletions = openAIPrefix + "chat/completions"
	ResourceModels          = openAIPrefix + "models"
	openAIPrefix            = "/openai/v1/"

	// ParameterRequestID is the path parameter of ResourceRequest.
	ParameterRequestID = "requestId"
	// ParameterKeyID is the path parameter of ResourceKey.
	ParameterKeyID = "keyId"
)

var methods = map[string][]string{
	ResourceRequests: {http.MethodPost},
	ResourceRequest:  {http.MethodDelete, http.MethodGet},
	ResourceUsage:    {http.MethodGet},
	ResourceDocument: {http.MethodGet},
	ResourceKeys:     {http.MethodGet, http.MethodPost},
	ResourceKey:      {http.MethodDelete},
	ResourceUploads:  {http.MethodPost},

	ResourceChatCompletions: {http.MethodPost},
	ResourceModels:          {http.MethodGet},
}

// Response is the answer of a handler. Body is encoded as JSON.
type Response struct {
	Status int
	Header map[string]string
	Body   any
}

// Handler answers one method of one resource. Errors that are no *Error are
// read as AsError reads them.
type Handler func(context.Context, Request) (Response, error)

// Route names a method of a resource.
type Route struct{ Method, Resource string }

// API answers the events of a function. It refuses callers from outside the
// allowed networks and tokens of other clients of the user pool.
type API struct {
	ClientID       string
	AllowedOrigins allowlist.Origins
	AllowedCIDRs   allowlist.Networks
	Open           map[Route]Handler // for anybody, without a token
	Routes         map[Route]Handler
	Log            *slog.Logger
	Metrics        *metrics.Recorder
}

// Serve answers one event. It never fails: what goes wrong is an answer too.
func (a *API) Serve(ctx context.Context, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-closingTime))
		defer cancel()
	}
	response, err := a.answer(ctx, event)
	if err != nil {
		response = a.refuse(ctx, AsError(err))
	}
	if response.Header == nil {
		response.Header = map[string]string{}
	}
	a.AllowOrigin(event, response.Header)
	return encode(response), nil
}

func (a *API) answer(ctx context.Context, event events.APIGatewayProxyRequest) (Response, error) {
	if a.AllowedCIDRs.Allow(event.RequestContext.Identity.SourceIP) {
		if event.HTTPMethod == http.MethodOptions {
			return preflight(event.Resource), nil
		}
		if handler, ok := a.Open[routeOf(event)]; ok {
			return handler(ctx, Request{})
		}
	}
	request, err := a.Read(event)
	if err != nil {
		return Response{}, err
	}
	handler, err := a.route(event)
	if err != nil {
		return Response{}, err
	}
	return handler(ctx, request)
}

// Read returns the call that an event is, of a caller who may make it.
func (a *API) Read(event events.APIGatewayProxyRequest) (Request, error) {
	if !a.AllowedCIDRs.Allow(event.RequestContext.Identity.SourceIP) {
		return Request{}, NewError(protocol.CodeForbidden, "Calls from this address are not allowed.")
	}
	who, ok := caller.Read(event.RequestContext.Authorizer, a.ClientID)
	if !ok {
		return Request{}, NewError(protocol.CodeUnauthenticated, "An ID token of this application is required.")
	}
	body, err := bodyOf(event)
	if err != nil {
		return Request{}, err
	}
	return Request{
		Caller:         who,
		PathParameters: event.PathParameters,
		Body:           body,
		header:         foldHeaders(event.Headers, event.MultiValueHeaders),
	}, nil
}

func (a *API) route(event events.APIGatewayProxyRequest) (Handler, error) {
	if handler, ok := a.Routes[routeOf(event)]; ok {
		return handler, nil
	}
	if _, ok := methods[event.Resource]; !ok {
		return nil, NewError(protocol.CodeNotFound, "There is no such resource.")
	}
	return nil, NewError(protocol.CodeMethodNotAllowed, "The resource has no such method.").With("Allow", allow(event.Resource))
}

func routeOf(event events.APIGatewayProxyRequest) Route {
	return Route{event.HTTPMethod, event.Resource}
}

// refuse turns an error into its problem document, and logs what the caller
// does not get to read.
func (a *API) refuse(ctx context.Context, e *Error) Response {
	problem := e.complete()
	if problem.Status >= http.StatusInternalServerError {
		a.Log.ErrorContext(ctx, "request failed", "code", problem.Code, "error", e.Cause)
	}
	if problem.Status == http.StatusInternalServerError {
		a.Metrics.Record(metrics.Count(metrics.InternalErrors, 1))
	}
	header := map[string]string{"Content-Type": protocol.ProblemType}
	maps.Copy(header, e.Header)
	if needsRetryAfter(problem.Status) && header[headerRetryAfter] == "" {
		header[headerRetryAfter] = "1"
	}
	return Response{Status: problem.Status, Header: header, Body: problem}
}

func needsRetryAfter(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// AllowOrigin lets a page of an allowed origin, or of the site, read the answer.
func (a *API) AllowOrigin(event events.APIGatewayProxyRequest, header map[string]string) {
	header["Vary"] = "Origin"
	origins := foldHeaders(event.Headers, event.MultiValueHeaders)["Origin"]
	if len(origins) != 1 || !inHeader(origins[0]) || !a.AllowedOrigins.With(event.StageVariables[environment.SiteOrigin]).Allow(origins[0]) {
		return
	}
	header["Access-Control-Allow-Origin"] = origins[0]
	header["Access-Control-Expose-Headers"] = protocol.ExposedHeaders
}

// inHeader tells whether an origin may go into a header. None has other
// characters.
func inHeader(origin string) bool {
	return !strings.ContainsFunc(origin, func(r rune) bool { return r <= ' ' || r > '~' })
}

// preflight answers OPTIONS; the origin is added as to every answer.
func preflight(resource string) Response {
	return Response{Status: http.StatusNoContent, Header: map[string]string{
		"Allow":                        allow(resource),
		"Access-Control-Allow-Methods": allow(resource),
		"Access-Control-Allow-Headers": allowedHeaders(resource),
		"Access-Control-Max-Age":       "7200",
	}}
}

// allowedHeaders are those that a page may send. OpenAI's clients send many of
// their own; the asterisk does not stand for Authorization.
func allowedHeaders(resource string) string {
	if strings.HasPrefix(resource, openAIPrefix) {
		return "Authorization, *"
	}
	return "Authorization, Content-Type, Idempotency-Key"
}

func allow(resource string) string {
	return strings.Join(append(slices.Clone(methods[resource]), http.MethodOptions), ", ")
}

func encode(r Response) events.APIGatewayProxyResponse {
	out := events.APIGatewayProxyResponse{StatusCode: r.Status, Headers: r.Header}
	out.Headers["Cache-Control"] = "no-store"
	if r.Body != nil {
		if out.Headers["Content-Type"] == "" {
			out.Headers["Content-Type"] = "application/json"
		}
		out.Body = string(protocol.Encode(r.Body))
	}
	return out
}
