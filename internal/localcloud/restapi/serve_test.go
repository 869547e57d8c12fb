package restapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

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
		{name: "dropped", result: `{"statusCode":200,"body":"x","headers":{"Content-Length":"99","Keep-Alive":"timeout=9","Trailer":"X"}}`, status: 200, body: "x", header: "Keep-Alive"},
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
	c.document["x-amazon-apigateway-binary-media-types"] = []string{"image/*"}
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
