package websocket_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	ws "github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

const allow = `{"principalId":"u1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"arn:aws:execute-api:us-east-1:000000000000:*/v1/$connect"}]},"context":{"userId":"u1","tokenExp":1700000000,"admin":true}}`

func TestHandshakeWaitsForConnect(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	release := make(chan struct{})
	c.functions.on("connect", func(call) (string, string, error) { <-release; return `{"statusCode":200}`, "", nil })
	opened := make(chan *ws.Conn, 1)
	go func() {
		conn, _, err := c.try(nil)
		if err == nil {
			opened <- conn
		}
	}()
	id, _ := c.next("connect").context("connectionId").(string)
	if gone, ok := errors.AsType[*types.GoneException](c.post(id, "early")); !ok {
		t.Errorf("a post before the 101 is answered %v, want GoneException", gone)
	}
	select {
	case <-opened:
		t.Fatal("the socket opened before $connect had answered")
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	conn := <-opened
	defer func() { _ = conn.CloseNow() }()
	c.must(c.post(id, "hello"))
	if got := c.read(conn); got != "hello" {
		t.Errorf("got frame %q", got)
	}
}

func TestConnectIntegrationDecides(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{Options: websocket.Options{IntegrationTimeout: 100 * time.Millisecond}})
	stuck := make(chan struct{})
	defer close(stuck)
	for _, test := range []struct {
		name           string
		result, failed string
		err            error
		status         int
		body           string
	}{
		{name: "bad request", result: `{"statusCode":400,"body":"no subprotocol"}`, status: 400, body: "no subprotocol"},
		{name: "forbidden", result: `{"statusCode":403}`, status: 403},
		{name: "redirect", result: `{"statusCode":301}`, status: 301},
		{name: "failed function", failed: "Unhandled", result: `{"errorMessage":"boom"}`, status: 502, body: "Internal server error"},
		{name: "malformed", result: `"hello"`, status: 502, body: "Internal server error"},
		{name: "no status", result: `{}`, status: 502, body: "Internal server error"},
		{name: "no permission", err: &awsapi.Error{Code: "AccessDeniedException"}, status: 500, body: "Internal server error"},
		{name: "slow", status: 504, body: "Endpoint request timed out"},
	} {
		c.functions.on("connect", func(call) (string, string, error) {
			if test.name == "slow" {
				<-stuck
			}
			return test.result, test.failed, test.err
		})
		response := c.refused(nil)
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != test.status || !strings.Contains(string(body), test.body) {
			t.Errorf("%s: refused with %d %s, want %d %s", test.name, response.StatusCode, body, test.status, test.body)
		}
		c.next("connect")
	}
	c.idle() // no $disconnect for what never connected
}

func TestSubprotocol(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	offered := &ws.DialOptions{Subprotocols: []string{"streaming.v1", "token"}}
	c.functions.returns("connect", `{"statusCode":200,"headers":{"sec-websocket-protocol":"streaming.v1"}}`)
	conn, _, err := c.try(offered)
	c.must(err)
	defer func() { _ = conn.CloseNow() }()
	if got := conn.Subprotocol(); got != "streaming.v1" {
		t.Errorf("selected subprotocol %q", got)
	}
	c.functions.returns("connect", `{"statusCode":200}`)
	second, response, err := c.try(offered)
	c.must(err)
	defer func() { _ = second.CloseNow() }()
	if got := response.Header.Get("Sec-WebSocket-Protocol"); got != "" {
		t.Errorf("without the integration's choice the gateway selected %q", got)
	}
}

func TestConnectEvent(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	c.authorizer()
	c.functions.returns("authorizer", allow)
	header := http.Header{"Authorization": {"token"}, "x-Lower": {"1"}, "User-Agent": {"tester"}}
	conn, _, err := c.try(&ws.DialOptions{HTTPHeader: header}, "?a=1&a=2")
	c.must(err)
	defer func() { _ = conn.CloseNow() }()
	authorizer, connect := c.next("authorizer"), c.next("connect")
	headers, _ := connect.event["headers"].(map[string]any)
	query, _ := connect.event["queryStringParameters"].(map[string]any)
	multi, _ := connect.event["multiValueQueryStringParameters"].(map[string]any)
	identity, _ := connect.context("identity").(map[string]any)
	granted, _ := connect.context("authorizer").(map[string]any)
	arn := "arn:aws:execute-api:us-east-1:000000000000:" + c.api.ID
	_, hasBody := connect.event["body"]
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"authorizer type", authorizer.event["type"], "REQUEST"},
		{"methodArn", authorizer.event["methodArn"], arn + "/v1/$connect"},
		{"authorizer eventType", authorizer.context("eventType"), "CONNECT"},
		{"same connection", authorizer.context("connectionId"), connect.context("connectionId")},
		{"source of authorizer", strings.HasPrefix(authorizer.source, arn+"/authorizers/"), true},
		{"source of route", connect.source, arn + "/v1/$connect"},
		{"routeKey", connect.context("routeKey"), "$connect"},
		{"eventType", connect.context("eventType"), "CONNECT"},
		{"direction", connect.context("messageDirection"), "IN"},
		{"stage", connect.context("stage"), "v1"},
		{"apiId", connect.context("apiId"), c.api.ID},
		{"messageId", connect.context("messageId"), nil},
		{"raw header name", headers["x-Lower"], "1"},
		{"authorization", headers["Authorization"], "token"},
		{"upgrade header", headers["Upgrade"], nil},
		{"query", query["a"], "2"},
		{"multi query", len(multi["a"].([]any)), 2},
		{"sourceIp", identity["sourceIp"], "127.0.0.1"},
		{"userAgent", identity["userAgent"], "tester"},
		{"principalId", granted["principalId"], "u1"},
		{"context string", granted["userId"], "u1"},
		{"context number", granted["tokenExp"], "1700000000"},
		{"context bool", granted["admin"], "true"},
		{"body", hasBody, false},
		{"isBase64Encoded", connect.event["isBase64Encoded"], false},
	} {
		if check.got != check.want {
			t.Errorf("%s = %v, want %v", check.what, check.got, check.want)
		}
	}
}

func TestAuthorizerDecides(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	c.authorizer()
	deny := strings.Replace(allow, `"Allow"`, `"Deny"`, 1)
	both := strings.Replace(allow, `"Statement":[`, `"Statement":[{"Action":"*","Effect":"Deny","Resource":"*"},`, 1)
	for _, test := range []struct {
		name           string
		result, failed string
		err            error
		status         int // 0: accepted
	}{
		{name: "allow", result: allow},
		{name: "allow as lists", result: `{"principalId":"u","policyDocument":{"Statement":[{"Action":["execute-api:*"],"Effect":"Allow","Resource":["*"]}]}}`},
		{name: "one statement", result: `{"principalId":"u","policyDocument":{"Statement":{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}}}`},
		{name: "deny", result: deny, status: 403},
		{name: "deny beside allow", result: both, status: 403},
		{name: "other resource", result: strings.Replace(allow, "/v1/$connect", "/v2/$connect", 1), status: 403},
		{name: "other action", result: strings.Replace(allow, "execute-api:Invoke", "execute-api:ManageConnections", 1), status: 403},
		{name: "Unauthorized", failed: "Unhandled", result: `{"errorMessage":"Unauthorized","errorType":"errorString"}`, status: 401},
		{name: "other error", failed: "Unhandled", result: `{"errorMessage":"unauthorized"}`, status: 500},
		{name: "status instead of policy", result: `{"statusCode":401}`, status: 500},
		{name: "simple response", result: `{"isAuthorized":true}`, status: 500},
		{name: "no principal", result: strings.Replace(allow, "principalId", "principal", 1), status: 500},
		{name: "list in context", result: strings.Replace(allow, `"admin":true`, `"groups":["a"]`, 1), status: 500},
		{name: "too large", result: strings.Replace(allow, `"userId":"u1"`, `"userId":"`+strings.Repeat("x", 8<<10)+`"`, 1), status: 500},
		{name: "no permission", err: &awsapi.Error{Code: "AccessDeniedException"}, status: 500},
	} {
		c.functions.on("authorizer", func(call) (string, string, error) { return test.result, test.failed, test.err })
		if test.status != 0 {
			if response := c.refused(nil); response.StatusCode != test.status {
				t.Errorf("%s: refused with %d, want %d", test.name, response.StatusCode, test.status)
			}
			c.next("authorizer")
			continue
		}
		conn, _, err := c.try(nil)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		c.next("authorizer") // for each handshake: nothing is cached
		c.next("connect")
		_ = conn.CloseNow()
		c.next("disconnect")
	}
}

func TestIdentitySources(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	c.authorizer("route.request.header.X-Token", "route.request.querystring.user")
	c.functions.returns("authorizer", allow)
	for _, test := range []struct {
		name   string
		header http.Header
		query  string
	}{
		{"none", nil, ""},
		{"one of two", http.Header{"X-Token": {"t"}}, ""},
		{"empty", http.Header{"X-Token": {""}}, "?user=u"},
		{"other case", http.Header{"x-token": {"t"}}, "?user=u"},
	} {
		if response := c.refused(&ws.DialOptions{HTTPHeader: test.header}, test.query); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", test.name, response.StatusCode)
		}
	}
	c.idle() // none of these reached the authorizer
	conn, _, err := c.try(&ws.DialOptions{HTTPHeader: http.Header{"X-Token": {"t"}}}, "?user=u")
	c.must(err)
	_ = conn.CloseNow()
	c.next("authorizer")
}

func TestHandshakeThrottle(t *testing.T) {
	t.Parallel()
	limits := func(rate float64, burst int) websocket.RouteSettings {
		return websocket.RouteSettings{ThrottlingRateLimit: &rate, ThrottlingBurstLimit: &burst}
	}
	one := limits(0.001, 1)
	for _, test := range []struct {
		name    string
		stage   func(*websocket.Stage)
		allowed int
	}{
		{"no settings", func(*websocket.Stage) {}, 3},
		{"default", func(s *websocket.Stage) { s.DefaultRouteSettings = &one }, 1},
		{"settings without throttles are zero", func(s *websocket.Stage) { s.DefaultRouteSettings = &websocket.RouteSettings{} }, 0},
		{"route", func(s *websocket.Stage) {
			s.DefaultRouteSettings, s.RouteSettings = &one, map[string]websocket.RouteSettings{"$connect": limits(0.001, 2)}
		}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, websocket.Deps{}, test.stage)
			for i := range 3 {
				conn, response, err := c.try(nil)
				if (err == nil) != (i < test.allowed) {
					t.Fatalf("handshake %d: %v", i, err)
				}
				if err != nil && response.StatusCode != http.StatusTooManyRequests {
					t.Errorf("handshake %d refused with %d, want 429", i, response.StatusCode)
				}
				if err == nil {
					defer func() { _ = conn.CloseNow() }()
				}
			}
		})
	}
}

func TestStageWithoutDeployment(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{}, func(s *websocket.Stage) { s.AutoDeploy = false })
	if response := c.refused(nil); response.StatusCode != http.StatusForbidden {
		t.Errorf("a stage that serves nothing answers %d, want 403", response.StatusCode)
	}
	d, err := c.service.PutDeployment(websocket.Deployment{APIID: c.api.ID})
	c.must(err)
	c.must(c.service.PutStage(websocket.Stage{APIID: c.api.ID, Name: "v1", DeploymentID: d.ID}))
	c.route("$connect", "later") // after the snapshot
	c.dial()
}

func TestPlainRequest(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.server.URL+websocket.Path(c.api.ID)+"/v1", nil)
	c.must(err)
	response, err := c.server.Client().Do(r)
	c.must(err)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("a request without upgrade is answered %d, want 426", response.StatusCode)
	}
}

func TestDeclarationsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	api := func(expression string) error {
		_, err := c.service.PutAPI(websocket.API{RouteSelectionExpression: expression})
		return err
	}
	route := func(r websocket.Route) error {
		r.APIID = c.api.ID
		_, err := c.service.PutRoute(r)
		return err
	}
	authorizer := func(z websocket.Authorizer) error {
		z.APIID, z.URI = c.api.ID, invokePrefix+"f/invocations"
		_, err := c.service.PutAuthorizer(z)
		return err
	}
	integration := func(i websocket.Integration) error {
		i.APIID = c.api.ID
		_, err := c.service.PutIntegration(i)
		return err
	}
	target, _ := strings.CutPrefix(c.routes["$default"].Target, "integrations/")
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"selection", api("$request.header.x"), "$request.header.x"},
		{"empty selection", api(""), "selection"},
		{"route key", route(websocket.Route{RouteKey: "$other"}), "$other"},
		{"second route", route(websocket.Route{RouteKey: "$default"}), "already exists"},
		{"authorization of another route", route(websocket.Route{RouteKey: "x", AuthorizationType: "CUSTOM"}), "$connect"},
		{"IAM", route(websocket.Route{RouteKey: "x", AuthorizationType: "AWS_IAM"}), "AWS_IAM"},
		{"target", route(websocket.Route{RouteKey: "x", Target: "integrations/nope"}), "nope"},
		{"JWT authorizer", authorizer(websocket.Authorizer{Type: "JWT"}), "REQUEST"},
		{"cached authorizer", authorizer(websocket.Authorizer{Type: "REQUEST", ResultTTLSeconds: 300}), "AuthorizerResultTtlInSeconds"},
		{"identity source", authorizer(websocket.Authorizer{Type: "REQUEST", IdentitySources: []string{"$request.header.X"}}), "identity source"},
		{"integration type", integration(websocket.Integration{Type: "HTTP_PROXY"}), "HTTP_PROXY"},
		{"integration URI", integration(websocket.Integration{Type: "AWS_PROXY", URI: "arn:aws:lambda:us-east-1:0:function:f"}), "invoke ARN"},
		{"used integration", c.service.DeleteIntegration(c.api.ID, target), "referenced"},
		{"both deployments", c.service.PutStage(websocket.Stage{APIID: c.api.ID, AutoDeploy: true, DeploymentID: "d"}), "autoDeploy"},
		{"unknown API", c.service.PutStage(websocket.Stage{APIID: "nope"}), "nope"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: error %v does not mention %q", test.name, test.err, test.want)
		}
	}
}
