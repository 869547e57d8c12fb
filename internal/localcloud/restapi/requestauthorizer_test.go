package restapi_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

// request makes a method one with a REQUEST authorizer, the function judge.
func (c *cloud) judged(identitySource string) func(object) {
	z := object{"type": "request", "authorizerUri": invokeAs + "judge/invocations", "authorizerResultTtlInSeconds": 0}
	if identitySource != "" {
		z["identitySource"] = identitySource
	}
	name := "judge" + identitySource
	c.scheme(name, object{"type": "apiKey", "in": "header", "name": "Unused", "x-amazon-apigateway-authtype": "custom", "x-amazon-apigateway-authorizer": z})
	return secured(name)
}

func policy(effect, resource string) string {
	return `{"principalId":"u1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + resource + `"}]},"context":{"tier":"pro","n":3,"ok":true}}`
}

func TestRequestAuthorizer(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("POST", "/chat/{id}", "chat", c.judged(""))
	c.deploy()
	methodARN := "arn:aws:execute-api:us-east-1:000000000000:" + c.api.ID + "/v1/POST/chat/a"
	judge := func(result, failed string, err error) (*http.Response, string) {
		c.functions.answer = func(function string, _ map[string]any) (string, string, error) {
			if function == "judge" {
				return result, failed, err
			}
			return `{"statusCode":200,"body":"in"}`, "", nil
		}
		return c.do("POST", "/chat/a?x=1", "secret", "authorization", "Bearer ssk_1")
	}
	for _, test := range []struct {
		name, result, failed string
		err                  error
		status               int
		body                 string
	}{
		{"allowed", policy("Allow", methodARN), "", nil, 200, "in"},
		{"allowed by a pattern", policy("Allow", "arn:aws:execute-api:*:*:*/v1/*"), "", nil, 200, "in"},
		{"another method", policy("Allow", methodARN+"/x"), "", nil, 403, `{"message":"User is not authorized to access this resource"}`},
		{"denied", policy("Deny", "*"), "", nil, 403, `{"message":"User is not authorized to access this resource with an explicit deny"}`},
		{"unauthorized", `{"errorMessage":"Unauthorized"}`, "Unhandled", nil, 401, `{"message":"Unauthorized"}`},
		{"another error", `{"errorMessage":"unauthorized"}`, "Unhandled", nil, 500, ""},
		{"no verdict", `{"statusCode":401}`, "", nil, 500, ""},
		{"list in the context", `{"principalId":"u","policyDocument":{"Statement":[]},"context":{"a":[]}}`, "", nil, 500, ""},
		{"not reached", "", "", errors.New("no permission"), 500, ""},
	} {
		response, body := judge(test.result, test.failed, test.err)
		if response.StatusCode != test.status || test.body != "" && body != test.body {
			t.Errorf("%s: got %d %s, want %d %s", test.name, response.StatusCode, body, test.status, test.body)
		}
	}

	c.functions.calls = nil
	judge(policy("Allow", "*"), "", nil)
	asked, called := c.functions.calls[0], c.functions.calls[1]
	headers := asked.event["headers"].(map[string]any)
	said := called.event["requestContext"].(map[string]any)["authorizer"].(map[string]any)
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"type", asked.event["type"], "REQUEST"},
		{"methodArn", asked.event["methodArn"], methodARN},
		{"resource", asked.event["resource"], "/chat/{id}"},
		{"path", asked.event["path"], "/chat/a"},
		{"httpMethod", asked.event["httpMethod"], "POST"},
		{"header as written", headers["authorization"], "Bearer ssk_1"},
		{"query", asked.event["queryStringParameters"].(map[string]any)["x"], "1"},
		{"path parameter", asked.event["pathParameters"].(map[string]any)["id"], "a"},
		{"body", asked.event["body"], nil},
		{"stage variable", asked.event["stageVariables"].(map[string]any)["color"], "blue"},
		{"apiId", asked.event["requestContext"].(map[string]any)["apiId"], c.api.ID},
		{"principalId", said["principalId"], "u1"},
		{"text", said["tier"], "pro"},
		{"number as text", said["n"], "3"},
		{"boolean as text", said["ok"], "true"},
	} {
		if check.got != check.want {
			t.Errorf("%s = %v, want %v", check.what, check.got, check.want)
		}
	}
	if want := "arn:aws:execute-api:us-east-1:000000000000:" + c.api.ID + "/authorizers/"; len(asked.source) <= len(want) || asked.source[:len(want)] != want {
		t.Errorf("the authorizer is asked for %s, want %s…", asked.source, want)
	}
}

// TestEveryCallIsJudged: a result holds for one call.
func TestEveryCallIsJudged(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/a", "a", c.judged(""))
	c.deploy()
	c.functions.answer = func(function string, _ map[string]any) (string, string, error) {
		if function == "judge" {
			return policy("Allow", "*"), "", nil
		}
		return `{"statusCode":200}`, "", nil
	}
	c.do("GET", "/a", "")
	c.do("GET", "/a", "")
	if len(c.functions.calls) != 4 {
		t.Errorf("%d invocations, want two of the authorizer and two of the function", len(c.functions.calls))
	}
}

func TestIdentitySources(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/header", "f", c.judged("method.request.header.Authorization"))
	c.method("GET", "/both", "f", c.judged("method.request.header.A, method.request.querystring.b"))
	c.method("GET", "/stage", "f", c.judged("stageVariables.color"))
	c.method("GET", "/nostage", "f", c.judged("stageVariables.size"))
	c.deploy()
	c.functions.answer = func(function string, _ map[string]any) (string, string, error) {
		if function == "judge" {
			return policy("Allow", "*"), "", nil
		}
		return `{"statusCode":200}`, "", nil
	}
	for _, test := range []struct {
		path, header string
		status       int
	}{
		{"/header", "Authorization", 200}, {"/header", "authorization", 401}, {"/header", "X", 401},
		{"/both?b=1", "A", 200}, {"/both", "A", 401}, {"/both?b=1", "X", 401}, {"/both?b=", "A", 401},
		{"/stage", "X", 200}, {"/nostage", "X", 401},
	} {
		c.functions.calls = nil
		response, body := c.do("GET", test.path, "", test.header, "v")
		if response.StatusCode != test.status || test.status == 401 && len(c.functions.calls) > 0 {
			t.Errorf("%s with %s: %d %s after %d invocations, want %d", test.path, test.header, response.StatusCode, body, len(c.functions.calls), test.status)
		}
	}
}
