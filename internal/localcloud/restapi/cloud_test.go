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

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi/rawheader"
)

const (
	poolARN  = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_pool"
	invokeAs = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:"
)

var _ restapi.TokenVerifier = (*cognito.Service)(nil)

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
	return func(m *restapi.Method) {
		m.Authorization, m.AuthorizerID, m.Scopes = "COGNITO_USER_POOLS", z.ID, scopes
	}
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
