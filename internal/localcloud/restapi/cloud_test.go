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
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/gatewaytest"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

const (
	poolARN  = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_pool"
	invokeAs = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:"
	streamAs = "arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/arn:aws:lambda:us-east-1:000000000000:function:"
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

func (f *functions) InvokeAs(ctx context.Context, principal, source, arn string, payload []byte) ([]byte, string, error) {
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
	return gatewaytest.Invoke(ctx, func() (string, string, error) { return f.answer(function, event) })
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
	document  map[string]any // that deploy imports
}

func newCloud(t *testing.T, deps restapi.Deps) *cloud {
	t.Helper()
	c := &cloud{t: t, functions: &functions{}, document: emptyDocument()}
	deps.Invoker, deps.Tokens = c.functions, knownTokens
	c.service = restapi.New(deps)
	var err error
	c.api, err = c.service.PutRestAPI(restapi.RestAPI{Name: "test"})
	c.must(err)
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

type object = map[string]any

func emptyDocument() object {
	return object{
		"openapi": "3.0.1", "info": object{"title": "test", "version": "1"}, "paths": object{},
		"components": object{"securitySchemes": object{}, "schemas": object{}}, "x-amazon-apigateway-gateway-responses": object{},
	}
}

func member(of object, name string) object {
	if of[name] == nil {
		of[name] = object{}
	}
	return of[name].(object)
}

// resource declares a path, without methods.
func (c *cloud) resource(path string) object { return member(member(c.document, "paths"), path) }

// method declares a method that the named function serves.
func (c *cloud) method(httpMethod, path, function string, change ...func(operation object)) {
	c.t.Helper()
	operation := object{"responses": object{}, "x-amazon-apigateway-integration": object{
		"type": "aws_proxy", "httpMethod": "POST", "uri": invokeAs + function + "/invocations",
	}}
	for _, f := range change {
		f(operation)
	}
	name := strings.ToLower(httpMethod)
	if httpMethod == "ANY" {
		name = "x-amazon-apigateway-any-method"
	}
	c.resource(path)[name] = operation
}

func (c *cloud) scheme(name string, scheme object) {
	member(member(c.document, "components"), "securitySchemes")[name] = scheme
}

// cognito makes a method one with a Cognito authorizer.
func (c *cloud) cognito(scopes ...string) func(object) {
	c.scheme("users", cognitoScheme())
	return secured("users", scopes...)
}

func cognitoScheme() object {
	return object{
		"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "cognito_user_pools",
		"x-amazon-apigateway-authorizer": object{"type": "cognito_user_pools", "providerARNs": []any{poolARN}},
	}
}

func secured(scheme string, scopes ...string) func(object) {
	list := []any{}
	for _, scope := range scopes {
		list = append(list, scope)
	}
	return func(operation object) { operation["security"] = []any{object{scheme: list}} }
}

// put imports the document as it is now.
func (c *cloud) put() error {
	body, err := json.Marshal(c.document)
	c.must(err)
	_, err = c.service.PutRestAPI(restapi.RestAPI{ID: c.api.ID, Name: "test", Body: string(body)})
	return err
}

// deploy serves what is declared now as stage v1.
func (c *cloud) deploy() {
	c.t.Helper()
	c.must(c.put())
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
