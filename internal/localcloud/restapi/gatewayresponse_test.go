package restapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

const problem = `{"type":"urn:x:$context.error.responseType","status":429,"detail":$context.error.messageString,"instance":"$context.requestId at $context.stage$context.identity.sourceIp.","kept":"$input.body $context. $contextual"}`

func (c *cloud) respond(responseType, status string, parameters, templates map[string]string) {
	c.t.Helper()
	c.must(c.service.PutGatewayResponse(restapi.GatewayResponse{APIID: c.api.ID, Type: responseType, StatusCode: status, Parameters: parameters, Templates: templates}))
}

func TestGatewayResponses(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/throttled", "f")
	c.method("GET", "/private", "f", c.cognito())
	c.method("GET", "/broken", "f")
	c.respond("THROTTLED", "", map[string]string{
		"gatewayresponse.header.Content-Type": "'application/problem+json'", "gatewayresponse.header.Retry-After": "'1'",
		"gatewayresponse.header.X-Origin": "method.request.header.Origin", "gatewayresponse.header.X-Stage": "context.stage",
	}, map[string]string{"application/json": problem})
	c.respond("DEFAULT_4XX", "", map[string]string{"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}, map[string]string{"application/json": `{"code":"$context.status"}`})
	c.respond("DEFAULT_5XX", "503", nil, nil)
	c.deploy()
	c.must(c.service.PutMethodSettings(restapi.MethodSettings{APIID: c.api.ID, StageName: "v1", MethodPath: "throttled/GET"}))

	response, body := c.do("GET", "/throttled", "", "Origin", "https://a.example")
	var decoded map[string]any
	if err := json.Unmarshal([]byte(body), &decoded); err != nil {
		t.Fatalf("body %s: %v", body, err)
	}
	for name, want := range map[string]any{
		"type": "urn:x:THROTTLED", "status": 429.0, "detail": "Too Many Requests", "kept": "$input.body $context. $contextual",
		"instance": response.Header.Get("x-amzn-RequestId") + " at v1127.0.0.1.",
	} {
		if decoded[name] != want {
			t.Errorf("%s = %v, want %v", name, decoded[name], want)
		}
	}
	for name, want := range map[string]string{
		"Content-Type": "application/problem+json", "Retry-After": "1", "X-Origin": "https://a.example", "X-Stage": "v1",
		"Access-Control-Allow-Origin": "", "x-amzn-ErrorType": "TooManyRequestsException",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	c.expect(response, body, http.StatusTooManyRequests, "")

	response, body = c.do("GET", "/private", "")
	c.expect(response, body, http.StatusUnauthorized, `{"code":"401"}`)
	if response.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("DEFAULT_4XX sets no header: %v", response.Header)
	}
	c.functions.answer = func(string, map[string]any) (string, string, error) { return "", "Unhandled", nil }
	response, body = c.do("GET", "/broken", "")
	c.expect(response, body, http.StatusServiceUnavailable, `{"message":"Internal server error"}`)
}

func TestGatewayResponseNeedsDeployment(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/", "f")
	c.deploy()
	c.respond("MISSING_AUTHENTICATION_TOKEN", "404", nil, nil)
	response, body := c.do("GET", "/nowhere", "")
	c.expect(response, body, http.StatusForbidden, "")
	c.deploy()
	response, body = c.do("GET", "/nowhere", "")
	c.expect(response, body, http.StatusNotFound, "")
}

func TestGatewayResponseByAccept(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/", "f")
	c.respond("MISSING_AUTHENTICATION_TOKEN", "", nil, map[string]string{"application/json": "json", "text/html": "html"})
	c.deploy()
	for accept, want := range map[string]string{"text/html": "html", "text/html;q=0.9, */*": "html", "*/*": "json", "image/png": "json"} {
		if _, body := c.do("GET", "/nowhere", "", "Accept", accept); body != want {
			t.Errorf("Accept %s: got %s, want %s", accept, body, want)
		}
	}
}

func TestDeclarationsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	root := c.api.RootResourceID
	c.method("GET", "/a/{id}", "f")
	greedy := c.resource("/{proxy+}")
	resource := func(parent, part string) error {
		_, _, err := c.service.PutResource(restapi.Resource{APIID: c.api.ID, ParentID: parent, PathPart: part})
		return err
	}
	integrate := func(change func(*restapi.Integration)) error {
		i := restapi.Integration{APIID: c.api.ID, ResourceID: c.resources["/a/{id}"], HTTPMethod: "GET", Type: "AWS_PROXY", IntegrationHTTPMethod: "POST", URI: invokeAs + "f/invocations"}
		change(&i)
		return c.service.PutIntegration(i)
	}
	deploy := func(prepare func(*cloud)) error {
		other := newCloud(t, restapi.Deps{})
		prepare(other)
		_, err := other.service.PutDeployment(restapi.Deployment{APIID: other.api.ID})
		return err
	}
	_, noAPI := c.service.PutDeployment(restapi.Deployment{APIID: "nope"})
	_, noProvider := c.service.PutAuthorizer(restapi.Authorizer{APIID: c.api.ID, Type: "COGNITO_USER_POOLS"})
	_, tokenAuthorizer := c.service.PutAuthorizer(restapi.Authorizer{APIID: c.api.ID, Type: "TOKEN"})
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"API", noAPI, "Invalid API identifier"},
		{"parent", resource("nope", "x"), "Invalid Resource identifier"},
		{"same name", resource(root, "a"), "already has this name"},
		{"second variable", resource(c.resources["/a"], "{name}"), "sibling"},
		{"below greedy", resource(greedy, "x"), "greedy"},
		{"slash in part", resource(root, "x/y"), "path part"},
		{"half a variable", resource(root, "{x"), "path part"},
		{"authorization", c.service.PutMethod(restapi.Method{APIID: c.api.ID, ResourceID: root, HTTPMethod: "GET", Authorization: "AWS_IAM"}), "AWS_IAM"},
		{"no authorizer", c.service.PutMethod(restapi.Method{APIID: c.api.ID, ResourceID: root, HTTPMethod: "GET", Authorization: "COGNITO_USER_POOLS"}), "authorizer"},
		{"provider", noProvider, "providerArns"},
		{"token authorizer", tokenAuthorizer, "TOKEN"},
		{"mock", integrate(func(i *restapi.Integration) { i.Type = "MOCK" }), "MOCK"},
		{"integration method", integrate(func(i *restapi.Integration) { i.IntegrationHTTPMethod = "GET" }), "POST"},
		{"function ARN as URI", integrate(func(i *restapi.Integration) { i.URI = "arn:aws:lambda:us-east-1:0:function:f" }), "invoke ARN"},
		{"timeout", integrate(func(i *restapi.Integration) { i.TimeoutMilliseconds = 30_000 }), "29000"},
		{"integration without method", integrate(func(i *restapi.Integration) { i.HTTPMethod = "PUT" }), "Method"},
		{"response type", c.service.PutGatewayResponse(restapi.GatewayResponse{APIID: c.api.ID, Type: "NOPE"}), "NOPE"},
		{"response status", c.service.PutGatewayResponse(restapi.GatewayResponse{APIID: c.api.ID, Type: "THROTTLED", StatusCode: "200"}), "200"},
		{"unquoted literal", c.service.PutGatewayResponse(restapi.GatewayResponse{APIID: c.api.ID, Type: "THROTTLED", Parameters: map[string]string{"gatewayresponse.header.X": "*"}}), "mapping expression"},
		{"parameter name", c.service.PutGatewayResponse(restapi.GatewayResponse{APIID: c.api.ID, Type: "THROTTLED", Parameters: map[string]string{"X": "'1'"}}), "gatewayresponse.header"},
		{"no methods", deploy(func(*cloud) {}), "any methods"},
		{"no integration", deploy(func(o *cloud) {
			o.must(o.service.PutMethod(restapi.Method{APIID: o.api.ID, ResourceID: o.api.RootResourceID, HTTPMethod: "GET", Authorization: "NONE"}))
		}), "No integration"},
		{"stage without deployment", c.service.PutStage(restapi.Stage{APIID: c.api.ID, Name: "v1", DeploymentID: "nope"}), "Deployment"},
		{"settings without stage", c.service.PutMethodSettings(restapi.MethodSettings{APIID: c.api.ID, StageName: "nope"}), "stage"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: error %v does not mention %q", test.name, test.err, test.want)
		}
	}
	d, err := c.service.PutDeployment(restapi.Deployment{APIID: c.api.ID})
	c.must(err)
	c.must(c.service.PutStage(restapi.Stage{APIID: c.api.ID, Name: "v1", DeploymentID: d.ID}))
	if err := c.service.DeleteDeployment(c.api.ID, d.ID); err == nil || !strings.Contains(err.Error(), "Active stages") {
		t.Errorf("deleting a deployment that is served: %v", err)
	}
	c.must(c.service.DeleteStage(c.api.ID, "v1"))
	c.must(c.service.DeleteDeployment(c.api.ID, d.ID))
}
