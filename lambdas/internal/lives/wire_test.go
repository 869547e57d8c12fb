package lives_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

var (
	errDead    = errors.New("the process was killed")
	errDropped = errors.New("the connection broke")
)

// call is one call of a service by a process.
type call struct {
	service   string // dynamodb, sqs, bedrock-runtime or execute-api
	operation string
	body      []byte
	request   *http.Request
}

// name is how faults and reports name the call.
func (c *call) name() string { return c.service + "." + c.operation }

// place is the key of an item.
type place struct{ pk, sk string }

var keyPattern = regexp.MustCompile(`"(pk|sk)":\{"S":"([^"]*)"\}`)

// places are the keys of the items that a call of the database names, in order.
func (c *call) places() (places []place) {
	found := map[string][]string{}
	for _, m := range keyPattern.FindAllSubmatch(c.body, -1) {
		found[string(m[1])] = append(found[string(m[1])], string(m[2]))
	}
	for n, pk := range found["pk"] {
		places = append(places, place{pk, found["sk"][n]})
	}
	return places
}

func newCall(r *http.Request) (*call, error) {
	c := &call{request: r}
	if r.Body != nil {
		var err error
		if c.body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	target, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case strings.HasPrefix(target, "DynamoDB"):
		c.service, c.operation = "dynamodb", operation
	case target == "AmazonSQS":
		c.service, c.operation = "sqs", operation
	case strings.HasPrefix(r.URL.Path, "/model/"):
		c.service, c.operation = "bedrock-runtime", "ConverseStream"
	default:
		c.service, c.operation = "execute-api", map[string]string{http.MethodPost: "PostToConnection", http.MethodDelete: "DeleteConnection"}[r.Method]
	}
	return c, nil
}

// wire is a process's way to the services: the HTTP client of its AWS clients,
// without sockets. A call without a process meets no faults.
type wire struct {
	world   *world
	process *process
}

// Do makes a call, and lets befall it what the dice say.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	c, err := newCall(r)
	if err != nil {
		return nil, err
	}
	if w.process == nil {
		return w.world.serve(nil, c)
	}
	return w.befall(c, w.world.dice.call(w.process, c))
}

// befall carries out the fate of a call.
func (w *wire) befall(c *call, fate fate) (*http.Response, error) {
	if !w.process.pass() || fate.killBefore && w.process.die() {
		return nil, errDead
	}
	if fate.freeze > 0 {
		w.process.freezeFor(fate.freeze)
	}
	arrives, ctx := time.Now().Add(max(fate.delay, w.process.frozenFor())), c.request.Context()
	if !sleep(ctx, time.Until(arrives)) {
		if fate.late {
			w.late(c, arrives)
		}
		return nil, context.Cause(ctx)
	}
	switch {
	case w.process.dead():
		return nil, errDead
	case fate.drop:
		return nil, errDropped
	case fate.refuse != nil:
		return fate.refuse.response(c), nil
	}
	response, err := w.world.serve(w.process, c)
	switch {
	case fate.killAfter && w.process.die():
		discard(response)
		return nil, errDead
	case err == nil && fate.lose:
		discard(response)
		return nil, errDropped
	}
	return response, err
}

// late has a call act whose caller has given up, perhaps long after others have
// taken over. Only a model has nobody to answer then.
func (w *wire) late(c *call, arrives time.Time) {
	if c.service == "bedrock-runtime" {
		return
	}
	c.request = c.request.WithContext(context.WithoutCancel(c.request.Context()))
	w.world.running.Go(func() {
		time.Sleep(time.Until(arrives))
		w.world.dice.count(c.name() + ".late")
		response, _ := w.world.serve(w.process, c)
		discard(response)
	})
}

func discard(r *http.Response) {
	if r != nil {
		_ = r.Body.Close()
	}
}

// sleep reports whether ctx is still alive after d.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// refusal is an error that a service answers.
type refusal awsapi.Error

func (e *refusal) response(c *call) *http.Response {
	recorder := httptest.NewRecorder()
	protocol := awsapi.RestJSON
	switch c.service {
	case "dynamodb":
		protocol = awsapi.DynamoDB
	case "sqs":
		protocol = awsapi.SQS
	}
	protocol.WriteError(recorder, (*awsapi.Error)(e))
	return recorder.Result()
}

// serve brings a call to its service.
func (w *world) serve(p *process, c *call) (*http.Response, error) {
	request := c.request.WithContext(c.request.Context()) // a copy
	request.Body = io.NopCloser(bytes.NewReader(c.body))
	switch c.service {
	case "dynamodb":
		return w.ledger.commit(p, c, func() *http.Response { return record(w.tables, request) }), nil
	case "sqs":
		return record(w.queues, request), nil
	case "bedrock-runtime":
		return stream(w.model.askedBy(p), request, p)
	}
	return record(w.gateway, request), nil
}

// record runs a handler whose answer is short.
func record(h http.Handler, r *http.Request) *http.Response {
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, r)
	return recorder.Result()
}

// stream runs a handler whose answer comes bit by bit, until the process dies.
func stream(h http.Handler, r *http.Request, p *process) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	reader, writer := io.Pipe()
	answer := &streamed{header: http.Header{}, body: writer, begun: make(chan struct{}), status: http.StatusOK}
	detach := context.AfterFunc(p.ctx, func() { _ = writer.CloseWithError(errDead); cancel() })
	p.world.running.Go(func() {
		defer cancel()
		defer detach()
		defer func() {
			if recover() != nil { // awsapi.Drop
				_ = writer.CloseWithError(errDropped)
			}
			_ = writer.Close()
			answer.begin()
		}()
		h.ServeHTTP(answer, r.WithContext(ctx))
	})
	<-answer.begun
	return &http.Response{StatusCode: answer.status, Header: answer.header, Body: reader, Request: r, ContentLength: -1}, nil
}

// streamed is an answer on its way.
type streamed struct {
	header http.Header
	status int
	body   *io.PipeWriter
	begun  chan struct{} // closed with the header
	sent   bool
}

func (s *streamed) begin() {
	if !s.sent {
		s.sent = true
		close(s.begun)
	}
}

func (s *streamed) Header() http.Header { return s.header }

func (s *streamed) WriteHeader(status int) {
	s.status = status
	s.begin()
}

func (s *streamed) Write(data []byte) (int, error) {
	s.begin()
	return s.body.Write(data)
}

// Flush does nothing: every write arrives at once.
func (s *streamed) Flush() { s.begin() }
