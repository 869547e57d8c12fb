package restapi_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

const problem = `{"type":"urn:x:$context.error.responseType","status":429,"detail":$context.error.messageString,"instance":"$context.requestId at $context.stage$context.identity.sourceIp.","kept":"$input.body $context. $contextual"}`

func (c *cloud) respond(responseType, status string, parameters, templates map[string]string) {
	response := object{"responseParameters": parameters, "responseTemplates": templates}
	if status != "" {
		response["statusCode"] = status
	}
	member(c.document, "x-amazon-apigateway-gateway-responses")[responseType] = response
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
