package restapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi/rawheader"
)

const (
	poolARN  = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_pool"
	invokeAs = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:"
)

// functions answers invocations and remembers them.
type functions struct {
	mu     sync.Mutex
	calls  []call
	answer func(function string, event map[string]any) (string, string, error)
}

type call struct {
	principal, source, function string
	event                       map[string]any
}

func (f *functions) InvokeAs(_ context.Context, principal, source, arn string, payload []byte) ([]byte, string, error) {
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, "", err
	}
	function := arn[strings.LastIndex(arn, ":")+1:]
	f.mu.Lock()
	f.calls = append(f.calls, call{principal, source, function, event})
	f.mu.Unlock()
	if f.answer == nil {
		return []byte(`{"statusCode":200,"body":"` + function + `"}`), "", nil
	}
	result, failed, err := f.answer(function, event)
	return []byte(result), failed, err
}

func (f *functions) last(t *testing.T) call {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) == 0 {
		t.Fatal("no function was invoked")
	}
	return f.calls[len(f.calls)-1]
}

// tokens verifies by name.
type tokens map[string]map[string]any

func (k tokens) VerifyToken(pool, token string) (map[string]any, error) {
	switch claims, ok := k[token]; {
	case token == "expired":
		return nil, jwt.ErrTokenExpired
	case !ok || pool != poolARN:
		return nil, errors.New("no such token")
	default:
		return claims, nil
	}
}

var knownTokens = tokens{
	"id": {
		"token_use": "id", "sub": "u1", "aud": "client", "email_verified": true, "auth_time": json.Number("1469814773"),
		"exp": json.Number("1469818373"), "iat": json.Number("1469818373"), "cognito:groups": []any{"pro", "beta"},
	},
	"access":  {"token_use": "access", "scope": "aws.cognito.signin.user.admin read"},
	"unknown": nil,
}

// cloud is a service with one API: what most tests need.
type cloud struct {
	t         *testing.T
	service   *restapi.Service
	functions *functions
	api       restapi.RestAPI
	server    *httptest.Server
	resources map[string]string // path -> id
}

func newCloud(t *testing.T, deps restapi.Deps) *cloud {
	t.Helper()
	c := &cloud{t: t, functions: &functions{}, resources: map[string]string{}}
	deps.Invoker, deps.Tokens = c.functions, knownTokens
	c.service = restapi.New(deps)
	var err error
	c.api, err = c.service.PutRestAPI(restapi.RestAPI{Name: "test"})
	c.must(err)
	c.resources["/"] = c.api.RootResourceID
	c.server = httptest.NewUnstartedServer(rawheader.Handler(c.service))
	c.server.Config.ConnContext = rawheader.ConnContext
	c.server.Listener = rawheader.Listener(c.server.Listener)
	c.server.Start()
	t.Cleanup(c.server.Close)
	return c
}

func (c *cloud) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// resource declares the resources of a path and returns the last one's id.
func (c *cloud) resource(path string) string {
	c.t.Helper()
	parent, current := c.api.RootResourceID, ""
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part == "" {
			return parent
		}
		current += "/" + part
		if c.resources[current] == "" {
			r, full, err := c.service.PutResource(restapi.Resource{APIID: c.api.ID, ParentID: parent, PathPart: part})
			c.must(err)
			if full != current {
				c.t.Fatalf("path of resource is %q, want %q", full, current)
			}
			c.resources[current] = r.ID
		}
		parent = c.resources[current]
	}
	return parent
}

// method declares a method that the named function serves.
func (c *cloud) method(httpMethod, path, function string, change ...func(*restapi.Method)) {
	c.t.Helper()
	m := restapi.Method{APIID: c.api.ID, ResourceID: c.resource(path), HTTPMethod: httpMethod, Authorization: "NONE"}
	for _, f := range change {
		f(&m)
	}
	c.must(c.service.PutMethod(m))
	c.must(c.service.PutIntegration(restapi.Integration{
		APIID: c.api.ID, ResourceID: m.ResourceID, HTTPMethod: httpMethod, Type: "AWS_PROXY", IntegrationHTTPMethod: "POST", URI: invokeAs + function + "/invocations",
	}))
}

// cognito makes a method one with a Cognito authorizer.
func (c *cloud) cognito(scopes ...string) func(*restapi.Method) {
	c.t.Helper()
	z, err := c.service.PutAuthorizer(restapi.Authorizer{APIID: c.api.ID, Name: "users", Type: "COGNITO_USER_POOLS", ProviderARNs: []string{poolARN}})
	c.must(err)
	return func(m *restapi.Method) { m.Authorization, m.AuthorizerID, m.Scopes = "COGNITO_USER_POOLS", z.ID, scopes }
}

// deploy serves what is declared now as stage v1.
func (c *cloud) deploy() {
	c.t.Helper()
	d, err := c.service.PutDeployment(restapi.Deployment{APIID: c.api.ID})
	c.must(err)
	c.must(c.service.PutStage(restapi.Stage{APIID: c.api.ID, Name: "v1", DeploymentID: d.ID, Variables: map[string]string{"color": "blue"}}))
}

// do sends a request; headers are name, value pairs, sent as they are written.
func (c *cloud) do(method, path, body string, headers ...string) (*http.Response, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+restapi.InvokePath(c.api.ID, "v1")+path, strings.NewReader(body))
	c.must(err)
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	response, err := c.server.Client().Do(r)
	c.must(err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	c.must(err)
	return response, string(text)
}

func (c *cloud) expect(response *http.Response, body string, status int, wantBody string) {
	c.t.Helper()
	if response.StatusCode != status || wantBody != "" && body != wantBody {
		c.t.Errorf("got %d %s, want %d %s", response.StatusCode, body, status, wantBody)
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("POST", "/requests", "post-requests")
	c.method("ANY", "/requests", "any-requests")
	c.method("GET", "/requests/{requestId}", "get-request")
	c.method("GET", "/requests/latest", "latest")
	c.method("GET", "/requests/latest/text", "latest-text")
	c.method("ANY", "/{proxy+}", "rest")
	c.method("GET", "/", "root")
	c.resource("/empty")
	c.deploy()
	for _, test := range []struct {
		method, path, want string
		params             map[string]any
	}{
		{"POST", "/requests", "post-requests", nil},
		{"PATCH", "/requests", "any-requests", nil},
		{"GET", "/requests/", "any-requests", nil},
		{"GET", "/requests/abc", "get-request", map[string]any{"requestId": "abc"}},
		{"GET", "/requests/a%2Fb", "get-request", map[string]any{"requestId": "a%2Fb"}},
		{"GET", "/requests/latest", "latest", nil},
		{"GET", "/requests/latest/text", "latest-text", nil},
		{"GET", "/requests/abc/text", "rest", map[string]any{"proxy": "requests/abc/text"}},
		{"DELETE", "/requests/abc", "", nil},
		{"GET", "/empty", "rest", map[string]any{"proxy": "empty"}},
		{"GET", "/other", "rest", map[string]any{"proxy": "other"}},
		{"GET", "/", "root", nil},
		{"GET", "", "root", nil},
		{"POST", "/", "", nil},
	} {
		response, body := c.do(test.method, test.path, "")
		if test.want == "" {
			c.expect(response, body, http.StatusForbidden, `{"message":"Missing Authentication Token"}`)
			continue
		}
		if body != test.want {
			t.Errorf("%s %s reached %s, want %s", test.method, test.path, body, test.want)
		}
		if params, _ := c.functions.last(t).event["pathParameters"].(map[string]any); len(params) != len(test.params) || len(params) > 0 && !equalMaps(params, test.params) {
			t.Errorf("%s %s: path parameters %v, want %v", test.method, test.path, params, test.params)
		}
	}
}

func equalMaps(a, b map[string]any) bool {
	for name, value := range b {
		if a[name] != value {
			return false
		}
	}
	return len(a) == len(b)
}

func TestDeploymentIsASnapshot(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/usage", "old")
	c.deploy()
	c.method("GET", "/usage", "new")
	c.method("GET", "/more", "more")
	if _, body := c.do("GET", "/usage", ""); body != "old" {
		t.Errorf("an integration changed without deployment: %s", body)
	}
	response, body := c.do("GET", "/more", "")
	c.expect(response, body, http.StatusForbidden, "")
	c.deploy()
	if _, body := c.do("GET", "/usage", ""); body != "new" {
		t.Errorf("deployment has no effect: %s", body)
	}
	if _, body := c.do("GET", "/more", ""); body != "more" {
		t.Errorf("deployment has no effect: %s", body)
	}
}

func TestProxyEvent(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("POST", "/requests/{requestId}", "requests", c.cognito())
	c.deploy()
	before := time.Now().UnixMilli()
	c.do("POST", "/requests/r1?a=1&a=2&b=x%20y", `{"prompt":"hé"}`, "authorization", "Bearer id", "idempotency-Key", "k1", "X-Multi", "1", "X-Multi", "2", "User-Agent", "tester")
	called := c.functions.last(t)
	if called.principal != "apigateway.amazonaws.com" || called.source != "arn:aws:execute-api:us-east-1:000000000000:"+c.api.ID+"/v1/POST/requests/{requestId}" {
		t.Errorf("invoked as %s for %s", called.principal, called.source)
	}
	event := called.event
	headers := event["headers"].(map[string]any)
	multi := event["multiValueHeaders"].(map[string]any)
	single, multiQuery := event["queryStringParameters"].(map[string]any), event["multiValueQueryStringParameters"].(map[string]any)
	requestContext := event["requestContext"].(map[string]any)
	claims := requestContext["authorizer"].(map[string]any)["claims"].(map[string]any)
	identity := requestContext["identity"].(map[string]any)
	epoch := int64(requestContext["requestTimeEpoch"].(float64))
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"resource", event["resource"], "/requests/{requestId}"},
		{"path", event["path"], "/requests/r1"},
		{"httpMethod", event["httpMethod"], "POST"},
		{"body", event["body"], `{"prompt":"hé"}`},
		{"isBase64Encoded", event["isBase64Encoded"], false},
		{"header as written", headers["idempotency-Key"], "k1"},
		{"canonical header", headers["Idempotency-Key"], nil},
		{"authorization", headers["authorization"], "Bearer id"},
		{"last of multi header", headers["X-Multi"], "2"},
		{"multi header", len(multi["X-Multi"].([]any)), 2},
		{"X-Forwarded-For", headers["X-Forwarded-For"], "127.0.0.1"},
		{"last of query", single["a"], "2"},
		{"decoded query", single["b"], "x y"},
		{"multi query", len(multiQuery["a"].([]any)), 2},
		{"stage variable", event["stageVariables"].(map[string]any)["color"], "blue"},
		{"path parameter", event["pathParameters"].(map[string]any)["requestId"], "r1"},
		{"context path", requestContext["path"], "/v1/requests/r1"},
		{"context resourcePath", requestContext["resourcePath"], "/requests/{requestId}"},
		{"stage", requestContext["stage"], "v1"},
		{"apiId", requestContext["apiId"], c.api.ID},
		{"protocol", requestContext["protocol"], "HTTP/1.1"},
		{"accountId", requestContext["accountId"], "000000000000"},
		{"sourceIp", identity["sourceIp"], "127.0.0.1"},
		{"userAgent", identity["userAgent"], "tester"},
		{"user", identity["user"], nil},
		{"time", epoch >= before && epoch <= time.Now().UnixMilli(), true},
		{"sub", claims["sub"], "u1"},
		{"groups", claims["cognito:groups"], "pro,beta"},
		{"email_verified", claims["email_verified"], "true"},
		{"auth_time", claims["auth_time"], "1469814773"},
		{"exp", claims["exp"], "Fri Jul 29 18:52:53 UTC 2016"},
	} {
		if check.got != check.want {
			t.Errorf("%s = %v, want %v", check.what, check.got, check.want)
		}
	}
	c.do("POST", "/requests/r1", "", "Authorization", "id")
	event = c.functions.last(t).event
	for _, name := range []string{"body", "queryStringParameters", "multiValueQueryStringParameters"} {
		if value, there := event[name]; !there || value != nil {
			t.Errorf("%s of a bare request is %v, want null", name, value)
		}
	}
}

func TestCognitoAuthorizer(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/id", "id", c.cognito())
	c.method("GET", "/scoped", "scoped", c.cognito("read"))
	c.method("GET", "/other-scope", "other", c.cognito("write"))
	c.deploy()
	const unauthorized, expired = `{"message":"Unauthorized"}`, `{"message":"The incoming token has expired"}`
	for _, test := range []struct {
		name, path, token string
		status            int
		body              string
	}{
		{"raw", "/id", "id", 200, "id"},
		{"bearer", "/id", "Bearer id", 200, "id"},
		{"lower-case bearer", "/id", "bearer id", 200, "id"},
		{"none", "/id", "", 401, unauthorized},
		{"garbage", "/id", "garbage", 401, unauthorized},
		{"other scheme", "/id", "Basic id", 401, unauthorized},
		{"expired", "/id", "expired", 401, expired},
		{"access token without scopes", "/id", "access", 401, unauthorized},
		{"scope", "/scoped", "access", 200, "scoped"},
		{"ID token with scopes", "/scoped", "id", 401, unauthorized},
		{"scope mismatch", "/other-scope", "access", 401, unauthorized},
	} {
		var headers []string
		if test.token != "" {
			headers = []string{"Authorization", test.token}
		}
		response, body := c.do("GET", test.path, "", headers...)
		if response.StatusCode != test.status || body != test.body {
			t.Errorf("%s: got %d %s, want %d %s", test.name, response.StatusCode, body, test.status, test.body)
		}
		if errorType := response.Header.Get("x-amzn-ErrorType"); (test.status == 401) != (errorType == "UnauthorizedException") {
			t.Errorf("%s: x-amzn-ErrorType %q", test.name, errorType)
		}
		if response.Header.Get("x-amzn-RequestId") == "" || response.Header.Get("x-amz-apigw-id") == "" {
			t.Errorf("%s: ids are missing in %v", test.name, response.Header)
		}
	}
}

func TestResponseMapping(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/", "f")
	c.deploy()
	const internal = `{"message":"Internal server error"}`
	denied := &awsapi.Error{Code: "AccessDeniedException"}
	for _, test := range []struct {
		name           string
		result, failed string
		err            error
		status         int
		body           string
		header, value  string
	}{
		{name: "plain", result: `{"statusCode":201,"body":"x","headers":{"X-A":"1"}}`, status: 201, body: "x", header: "X-A", value: "1"},
		{name: "default content type", result: `{"statusCode":200}`, status: 200, header: "Content-Type", value: "application/json"},
		{name: "status as text", result: `{"statusCode":"204"}`, status: 204},
		{name: "multi wins", result: `{"statusCode":200,"headers":{"X-A":"1"},"multiValueHeaders":{"x-a":["2","3"]}}`, status: 200, header: "X-A", value: "2,3"},
		{name: "scalar headers", result: `{"statusCode":200,"headers":{"X-N":12,"X-B":true}}`, status: 200, header: "X-N", value: "12"},
		{name: "remapped", result: `{"statusCode":401,"headers":{"WWW-Authenticate":"Bearer"}}`, status: 401, header: "x-amzn-Remapped-WWW-Authenticate", value: "Bearer"},
		{name: "base64 stays text", result: `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, status: 200, body: "aGk="},
		{name: "no status", result: `{"body":"x"}`, status: 502, body: internal},
		{name: "status out of range", result: `{"statusCode":99}`, status: 502, body: internal},
		{name: "not JSON", result: `hello`, status: 502, body: internal},
		{name: "no object", result: `"hello"`, status: 502, body: internal},
		{name: "body no string", result: `{"statusCode":200,"body":{"a":1}}`, status: 502, body: internal},
		{name: "header no scalar", result: `{"statusCode":200,"headers":{"X-A":["1"]}}`, status: 502, body: internal},
		{name: "empty", result: ``, status: 502, body: internal},
		{name: "function error", result: `{"errorMessage":"boom"}`, failed: "Unhandled", status: 502, body: internal},
		{name: "no permission", err: denied, status: 500, body: internal},
		{name: "throttled function", err: &awsapi.Error{Code: "TooManyRequestsException"}, status: 500, body: internal},
	} {
		c.functions.answer = func(string, map[string]any) (string, string, error) { return test.result, test.failed, test.err }
		response, body := c.do("GET", "/", "")
		if response.StatusCode != test.status || body != test.body {
			t.Errorf("%s: got %d %q, want %d %q", test.name, response.StatusCode, body, test.status, test.body)
		}
		if got := strings.Join(response.Header.Values(test.header), ","); test.header != "" && got != test.value {
			t.Errorf("%s: %s = %q, want %q", test.name, test.header, got, test.value)
		}
		if response.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: WWW-Authenticate reached the client", test.name)
		}
	}
}

func TestBinaryBodies(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	_, err := c.service.PutRestAPI(restapi.RestAPI{ID: c.api.ID, Name: "test", BinaryMediaTypes: []string{"image/*"}})
	c.must(err)
	c.method("POST", "/", "f")
	c.deploy()
	c.functions.answer = func(string, map[string]any) (string, string, error) {
		return `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "", nil
	}
	if _, body := c.do("POST", "/", "\x89PNG", "Content-Type", "image/png", "Accept", "image/png, */*"); body != "hi" {
		t.Errorf("binary answer is %q, want it decoded", body)
	}
	if event := c.functions.last(t).event; event["isBase64Encoded"] != true || event["body"] != "iVBORw==" {
		t.Errorf("binary body arrives as %v, base64 %v", event["body"], event["isBase64Encoded"])
	}
	if _, body := c.do("POST", "/", "x", "Accept", "text/plain"); body != "aGk=" {
		t.Errorf("answer for a client without binary types is %q, want it undecoded", body)
	}
}

func TestIntegrationTimeout(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{Timeout: 30 * time.Millisecond})
	c.method("GET", "/", "slow")
	c.deploy()
	release, finished := make(chan struct{}), make(chan struct{})
	c.functions.answer = func(string, map[string]any) (string, string, error) {
		<-release
		close(finished)
		return `{"statusCode":200}`, "", nil
	}
	response, body := c.do("GET", "/", "")
	c.expect(response, body, http.StatusGatewayTimeout, `{"message":"Endpoint request timed out"}`)
	close(release)
	<-finished // the function runs on
}

func TestThrottles(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/a", "a")
	c.method("ANY", "/b", "b")
	c.deploy()
	set := func(path string, rate float64, burst int) {
		c.must(c.service.PutMethodSettings(restapi.MethodSettings{APIID: c.api.ID, StageName: "v1", MethodPath: path, ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst}))
	}
	set("*/*", 0.001, 3)
	set("b/GET", 0.001, 1)
	allowed := func(method, path string) (n int) {
		for range 5 {
			response, body := c.do(method, path, "")
			if response.StatusCode == http.StatusOK {
				n++
				continue
			}
			c.expect(response, body, http.StatusTooManyRequests, `{"message":"Too Many Requests"}`)
			if response.Header.Get("Retry-After") != "" || response.Header.Get("x-amzn-ErrorType") != "TooManyRequestsException" {
				t.Errorf("headers of a throttled request: %v", response.Header)
			}
		}
		return n
	}
	if got := allowed("GET", "/a"); got != 3 {
		t.Errorf("the stage's burst of 3 allowed %d", got)
	}
	if got := allowed("GET", "/b"); got != 1 {
		t.Errorf("the method's burst of 1 allowed %d", got)
	}
	if got := allowed("POST", "/b"); got != 3 {
		t.Errorf("another method of the resource was allowed %d times, want the stage's 3", got)
	}
	set("*/*", -1, -1)
	if got := allowed("GET", "/a"); got != 5 {
		t.Errorf("without a stage limit %d of 5 were allowed", got)
	}
}

type closedAccount struct{}

func (closedAccount) Allow() bool { return false }

func TestAccountThrottle(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{Account: closedAccount{}})
	c.method("GET", "/", "f")
	c.deploy()
	response, body := c.do("GET", "/", "")
	c.expect(response, body, http.StatusTooManyRequests, "")
}

func TestRequestLimits(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("POST", "/", "f")
	c.deploy()
	response, body := c.do("POST", "/", strings.Repeat("x", restapi.MaxBodyBytes+1))
	c.expect(response, body, http.StatusRequestEntityTooLarge, "")
	response, body = c.do("POST", "/", "", "X-Large", strings.Repeat("x", restapi.MaxHeaderBytes))
	c.expect(response, body, http.StatusRequestHeaderFieldsTooLarge, "")
	if len(c.functions.calls) > 0 {
		t.Error("a request over the limits reached the function")
	}
}

func TestUnknownAPIAndStage(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/", "f")
	c.deploy()
	for _, path := range []string{"/_aws/rest/nope/v1/", "/_aws/rest/" + c.api.ID + "/v2/", "/_aws/rest/" + c.api.ID, "/_aws/rest/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.server.URL+path, nil)
		c.must(err)
		response, err := c.server.Client().Do(r)
		c.must(err)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", path, response.StatusCode)
		}
	}
}
