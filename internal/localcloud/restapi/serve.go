package restapi

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// request is one request on its way through the gateway.
type request struct {
	http       *http.Request
	apiID      string
	stage      Stage
	settings   map[string]MethodSettings
	snapshot   *snapshot
	path       string // without stage, as the client escaped it
	fields     []rawheader.Field
	body       []byte
	route      route
	claims     map[string]string // of the Cognito token; nil without such an authorizer
	said       map[string]string // context of the REQUEST authorizer; nil without one
	id         string
	extendedID string
	traceID    string
	start      time.Time
}

// answer is what the client gets.
type answer struct {
	status int
	header http.Header
	body   []byte
	stream *stream // instead of a body
}

// ServeHTTP serves /_aws/rest/{apiId}/{stage}/…
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := newRequest(r)
	var a answer
	if s.resolve(q) {
		a = s.handle(q)
	} else {
		a = (*snapshot)(nil).answer(q, failureForbidden)
	}
	s.count(q, a)
	a.write(w, q)
	if a.stream != nil {
		s.send(w, q, a.stream)
	}
}

func newRequest(r *http.Request) *request {
	q := &request{http: r, id: awsapi.NewRequestID(), extendedID: gateway.NewExtendedID(), traceID: gateway.NewTraceID(), start: time.Now()}
	q.fields = gateway.EventHeaders(r, q.traceID)
	return q
}

// resolve finds the deployment that serves the request.
func (s *Service) resolve(q *request) bool {
	apiID, rest, _ := strings.Cut(strings.TrimPrefix(q.http.URL.EscapedPath(), PathPrefix), "/")
	stageName, path, _ := strings.Cut(rest, "/")
	q.apiID, q.path = apiID, "/"+path
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.apis[apiID]
	if a == nil {
		return false
	}
	q.stage = a.stages[stageName]
	q.snapshot = a.deployments[q.stage.DeploymentID]
	q.settings = a.settings[stageName]
	return q.snapshot != nil
}

// handle takes the request through the gateway's stations; the first that
// refuses it decides the answer.
func (s *Service) handle(q *request) answer {
	for _, station := range []func(*request) *failure{checkHeaders, findRoute, s.admit, readBody, s.authorize, validate} {
		if f := station(q); f != nil {
			return q.snapshot.answer(q, *f)
		}
	}
	a, f := s.integrate(q)
	if f != nil {
		return q.snapshot.answer(q, *f)
	}
	return a
}

func checkHeaders(q *request) *failure {
	size := 0
	for _, f := range rawheader.Fields(q.http) {
		size += len(f.Name) + len(f.Value) + len(": \r\n")
	}
	if size > MaxHeaderBytes {
		return &failureHeadersTooLarge
	}
	return nil
}

func findRoute(q *request) *failure {
	found, ok := q.snapshot.match(q.http.Method, q.path)
	if !ok {
		return &failureMissingToken
	}
	q.route = found
	return nil
}

// admit takes tokens from the buckets of the method and of the account.
func (s *Service) admit(q *request) *failure {
	key := strings.Join([]string{q.apiID, q.stage.Name, q.route.method.httpMethod, q.route.resourcePath}, "|")
	if limits, ok := q.limits(); ok && !s.throttle.Allow(key, limits) {
		return &failureThrottled
	}
	if !s.deps.Account.Allow() {
		return &failureThrottled
	}
	return nil
}

// limits returns the throttle of the method: its own or the stage's.
func (q *request) limits() (gateway.Limits, bool) {
	path := strings.TrimPrefix(q.route.resourcePath, "/")
	for _, key := range []string{path + "/" + q.http.Method, path + "/" + q.route.method.httpMethod, "*/*"} {
		if m, ok := q.settings[key]; ok {
			return gateway.Limits{Rate: m.ThrottlingRateLimit, Burst: m.ThrottlingBurstLimit}, true
		}
	}
	return gateway.Limits{}, false
}

func readBody(q *request) *failure {
	body, err := io.ReadAll(http.MaxBytesReader(nil, q.http.Body, MaxBodyBytes))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return &failureTooLarge
		}
		return &failureUnreadable
	}
	q.body = body
	return nil
}

func (s *Service) count(q *request, a answer) {
	if s.deps.Meter == nil {
		return
	}
	s.deps.Meter.Add(usage.RestRequests, 1, a.body)
	s.deps.Meter.Add(usage.RestBytesIn, float64(len(q.body)), a.body)
	s.deps.Meter.Add(usage.RestBytesSent, float64(len(a.body)), a.body)
}

func (a answer) write(w http.ResponseWriter, q *request) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = slices.Clone(values)
	}
	h.Set("x-amzn-RequestId", q.id)
	h.Set("x-amz-apigw-id", q.extendedID)
	h.Set("X-Amzn-Trace-Id", q.traceID)
	if a.stream == nil {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that is gone needs no answer
}
