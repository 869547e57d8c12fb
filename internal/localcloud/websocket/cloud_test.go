package websocket_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	ws "github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/gatewaytest"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

const invokePrefix = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:"

type call struct {
	source, function string
	event            map[string]any
}

// context returns a member of the event's requestContext.
func (c call) context(name string) any {
	requestContext, _ := c.event["requestContext"].(map[string]any)
	return requestContext[name]
}

// functions answers invocations by function name and passes them on.
type functions struct {
	mu      sync.Mutex
	answers map[string]func(call) (string, string, error)
	calls   chan call
}

func (f *functions) InvokeAs(ctx context.Context, _, source, arn string, payload []byte) ([]byte, string, error) {
	c := call{source: source, function: arn[strings.LastIndex(arn, ":")+1:]}
	if err := json.Unmarshal(payload, &c.event); err != nil {
		return nil, "", err
	}
	f.mu.Lock()
	answer := f.answers[c.function]
	f.mu.Unlock()
	f.calls <- c
	if answer == nil {
		return []byte(`{"statusCode":200}`), "", nil
	}
	return gatewaytest.Invoke(ctx, func() (string, string, error) { return answer(c) })
}

func (f *functions) on(function string, answer func(call) (string, string, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[function] = answer
}

func (f *functions) returns(function, result string) {
	f.on(function, func(call) (string, string, error) { return result, "", nil })
}

// guard allows everything but what it is told to refuse, and remembers calls.
type guard struct {
	mu     sync.Mutex
	refuse *awsapi.Error
	lose   bool
	calls  []awsapi.Call
}

func (g *guard) Admit(_ context.Context, c awsapi.Call) (bool, *awsapi.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, c)
	return g.lose, g.refuse
}

func (g *guard) set(refuse *awsapi.Error, lose bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuse, g.lose = refuse, lose
}

// cloud serves one API with the routes of the service: $connect, $disconnect
// and $default.
type cloud struct {
	t          testing.TB
	service    *websocket.Service
	functions  *functions
	guard      *guard
	server     *httptest.Server
	api        websocket.API
	routes     map[string]websocket.Route
	management *apigatewaymanagementapi.Client
}

func newCloud(tb testing.TB, deps websocket.Deps, stage ...func(*websocket.Stage)) *cloud {
	tb.Helper()
	c := &cloud{
		t: tb, functions: &functions{answers: map[string]func(call) (string, string, error){}, calls: make(chan call, 10_000)},
		guard: &guard{}, routes: map[string]websocket.Route{},
	}
	deps.Invoker, deps.Guard = c.functions, c.guard
	c.service = websocket.New(deps)
	var err error
	c.api, err = c.service.PutAPI(websocket.API{Name: "test", RouteSelectionExpression: "$request.body.action"})
	c.must(err)
	for key, function := range map[string]string{"$connect": "connect", "$disconnect": "disconnect", "$default": "messages"} {
		c.route(key, function)
	}
	st := websocket.Stage{APIID: c.api.ID, Name: "v1", AutoDeploy: true}
	for _, change := range stage {
		change(&st)
	}
	c.must(c.service.PutStage(st))
	c.serve()
	return c
}

func (c *cloud) serve() {
	c.server = httptest.NewUnstartedServer(rawheader.Handler(c.service))
	c.server.Config.ConnContext = rawheader.ConnContext
	c.server.Listener = rawheader.Listener(c.server.Listener)
	c.server.Start()
	c.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		c.service.Close(ctx)
		c.server.Close()
	})
	c.management = c.client(c.server.URL + websocket.Path(c.api.ID) + "/v1")
}

func (c *cloud) client(endpoint string) *apigatewaymanagementapi.Client {
	return apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		Retryer: aws.NopRetryer{},
	})
}

func (c *cloud) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) route(key, function string, change ...func(*websocket.Route)) websocket.Route {
	c.t.Helper()
	i, err := c.service.PutIntegration(websocket.Integration{APIID: c.api.ID, Type: "AWS_PROXY", URI: invokePrefix + function + "/invocations"})
	c.must(err)
	r := websocket.Route{ID: c.routes[key].ID, APIID: c.api.ID, RouteKey: key, Target: "integrations/" + i.ID}
	for _, f := range change {
		f(&r)
	}
	r, err = c.service.PutRoute(r)
	c.must(err)
	c.routes[key] = r
	return r
}

// authorizer puts a REQUEST authorizer before $connect.
func (c *cloud) authorizer(sources ...string) {
	c.t.Helper()
	z, err := c.service.PutAuthorizer(websocket.Authorizer{
		APIID: c.api.ID, Name: "users", Type: "REQUEST", URI: invokePrefix + "authorizer/invocations", IdentitySources: sources,
	})
	c.must(err)
	c.route("$connect", "connect", func(r *websocket.Route) { r.AuthorizationType, r.AuthorizerID = "CUSTOM", z.ID })
}

func (c *cloud) url() string {
	return "ws" + strings.TrimPrefix(c.server.URL, "http") + websocket.Path(c.api.ID) + "/v1"
}

func (c *cloud) try(options *ws.DialOptions, query ...string) (*ws.Conn, *http.Response, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	return ws.Dial(ctx, c.url()+strings.Join(query, ""), options)
}

// dial opens a socket and returns it with its connection id.
func (c *cloud) dial() (*ws.Conn, string) {
	c.t.Helper()
	conn, response, err := c.try(nil)
	c.must(err)
	_ = response.Body // of a 101 there is none to close
	c.t.Cleanup(func() { _ = conn.CloseNow() })
	id, _ := c.next("connect").context("connectionId").(string)
	return conn, id
}

// refused returns the status with which a handshake is refused.
func (c *cloud) refused(options *ws.DialOptions, query ...string) *http.Response {
	c.t.Helper()
	conn, response, err := c.try(options, query...)
	if err == nil {
		_ = conn.CloseNow()
		c.t.Fatal("the handshake succeeded")
	}
	if response == nil {
		c.t.Fatalf("no answer to the handshake: %v", err)
	}
	return response
}

// next waits for the next invocation, which must be one of function.
func (c *cloud) next(function string) call {
	c.t.Helper()
	select {
	case got := <-c.functions.calls:
		if got.function != function {
			c.t.Fatalf("function %s was invoked, want %s", got.function, function)
		}
		return got
	case <-time.After(10 * time.Second):
		c.t.Fatalf("function %s was not invoked", function)
		return call{}
	}
}

// nextOf waits for an invocation of each of functions, in any order.
func (c *cloud) nextOf(functions ...string) {
	c.t.Helper()
	for len(functions) > 0 {
		select {
		case got := <-c.functions.calls:
			i := slices.Index(functions, got.function)
			if i < 0 {
				c.t.Fatalf("function %s was invoked, want one of %v", got.function, functions)
			}
			functions = slices.Delete(functions, i, i+1)
		case <-time.After(10 * time.Second):
			c.t.Fatalf("functions %v were not invoked", functions)
		}
	}
}

// idle checks that no function has been invoked since.
func (c *cloud) idle() {
	c.t.Helper()
	select {
	case got := <-c.functions.calls:
		c.t.Fatalf("function %s was invoked", got.function)
	case <-time.After(20 * time.Millisecond):
	}
}

func (c *cloud) post(id, frame string) error {
	_, err := c.management.PostToConnection(c.t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(frame)})
	return err
}

func (c *cloud) read(conn *ws.Conn) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, frame, err := conn.Read(ctx)
	c.must(err)
	return string(frame)
}

func (c *cloud) write(conn *ws.Conn, frame string) {
	c.t.Helper()
	c.must(conn.Write(c.t.Context(), ws.MessageText, []byte(frame)))
}

// closed waits for the end of a socket and returns its close code.
func (c *cloud) closed(conn *ws.Conn) ws.StatusCode {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			if ctx.Err() != nil {
				c.t.Fatal("the socket stays open")
			}
			return ws.CloseStatus(err)
		}
	}
}
