package restapi_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

// TestImportsThatAreRefused: what API Gateway refuses, or would import in
// silence as something else, or has no counterpart here.
func TestImportsThatAreRefused(t *testing.T) {
	t.Parallel()
	integrate := func(name string, value any) func(*cloud) {
		return func(c *cloud) {
			c.method("GET", "/a", "f", func(o object) { o["x-amazon-apigateway-integration"].(object)[name] = value })
		}
	}
	stream := func(change object) func(*cloud) {
		return func(c *cloud) {
			c.method("POST", "/a", "f", func(o object) {
				i := o["x-amazon-apigateway-integration"].(object)
				i["responseTransferMode"] = "STREAM"
				maps.Copy(i, change)
			})
		}
	}
	scheme := func(change object) func(*cloud) {
		return func(c *cloud) {
			s := cognitoScheme()
			for name, value := range change {
				if s[name] = value; value == nil {
					delete(s, name)
				}
			}
			c.scheme("users", s)
		}
	}
	authorizer := func(z object) func(*cloud) {
		return scheme(object{"x-amazon-apigateway-authtype": "custom", "x-amazon-apigateway-authorizer": z})
	}
	respond := func(responseType, status string, parameters map[string]string) func(*cloud) {
		return func(c *cloud) { c.respond(responseType, status, parameters, nil) }
	}
	model := func(name string, schema object) func(*cloud) {
		return func(c *cloud) { member(member(c.document, "components"), "schemas")[name] = schema }
	}
	request := func(change func(object)) func(*cloud) { return func(c *cloud) { c.method("GET", "/a", "f", change) } }
	paths := func(paths ...string) func(*cloud) {
		return func(c *cloud) {
			for _, path := range paths {
				c.resource(path)
			}
		}
	}
	for _, test := range []struct {
		name   string
		change func(*cloud)
		want   []string
	}{
		{"version", func(c *cloud) { c.document["openapi"] = "3.1.0" }, []string{"3.1.0"}},
		{"title", func(c *cloud) { c.document["info"] = object{"version": "1"} }, []string{"title"}},
		{"extension of the root", func(c *cloud) { c.document["x-amazon-apigateway-policy"] = object{} }, []string{"x-amazon-apigateway-policy", "the root"}},
		{"extension of an operation", request(func(o object) { o["x-amazon-apigateway-auth"] = object{"type": "NONE"} }), []string{"x-amazon-apigateway-auth", "paths./a.get"}},
		{"extension of ANY", func(c *cloud) {
			c.method("ANY", "/a", "f", func(o object) { o["x-amazon-apigateway-new"] = 1 })
		}, []string{"x-amazon-apigateway-new", "paths./a.x-amazon-apigateway-any-method"}},
		{"extension in a wrong place", func(c *cloud) { c.resource("/a")["x-amazon-apigateway-integration"] = object{} }, []string{"x-amazon-apigateway-integration", "paths./a"}},
		{"extension of a parameter", request(func(o object) { o["parameters"] = []any{object{"x-amazon-apigateway-p": 1}} }), []string{"x-amazon-apigateway-p", "paths./a.get.parameters.[]"}},
		{"member of an integration", integrate("cacheNamespace", "x"), []string{"cacheNamespace", "'GET'", "'/a'"}},
		{"mock", integrate("type", "mock"), []string{"mock"}},
		{"integration method", integrate("httpMethod", "GET"), []string{"POST", "GET"}},
		{"function ARN as URI", integrate("uri", "arn:aws:lambda:us-east-1:0:function:f"), []string{"invoke ARN"}},
		{"timeout", integrate("timeoutInMillis", 30_000), []string{"29000", "30000"}},
		{"transfer mode", integrate("responseTransferMode", "CHUNKED"), []string{"CHUNKED"}},
		{"stream of the ordinary URI", stream(nil), []string{"response-streaming-invocations"}},
		{"ordinary call of the stream URI", integrate("uri", streamAs+"f/response-streaming-invocations"), []string{"2015-03-31"}},
		{"stream that takes too long", stream(object{"uri": streamAs + "f/response-streaming-invocations", "timeoutInMillis": 900_001}), []string{"900000", "900001"}},
		{"type of a scheme", scheme(object{"type": "http"}), []string{"apiKey", "http", "users"}},
		{"scheme without authorizer", scheme(object{"x-amazon-apigateway-authorizer": nil}), []string{"open to everybody"}},
		{"no pool", scheme(object{"x-amazon-apigateway-authorizer": object{"type": "cognito_user_pools"}}), []string{"providerARNs"}},
		{"authtype", scheme(object{"x-amazon-apigateway-authtype": "oauth2"}), []string{"oauth2"}},
		{"token authorizer", authorizer(object{"type": "token"}), []string{"token"}},
		{"cached results", authorizer(object{"type": "request", "authorizerUri": invokeAs + "f/invocations"}), []string{"authorizerResultTtlInSeconds"}},
		{"authorizer's URI", authorizer(object{"type": "request", "authorizerUri": "f", "authorizerResultTtlInSeconds": 0}), []string{"invoke ARN"}},
		{"identity source", authorizer(object{"type": "request", "authorizerUri": invokeAs + "f/invocations", "authorizerResultTtlInSeconds": 0, "identitySource": "method.request.body.x"}), []string{"method.request.body.x"}},
		{"member of an authorizer", authorizer(object{"type": "request", "identityValidationExpression": ".*"}), []string{"identityValidationExpression"}},
		{"unknown scheme", request(secured("nobody")), []string{"nobody", "'/a'"}},
		{"two schemes", request(func(o object) { o["security"] = []any{object{"a": []any{}}, object{"b": []any{}}} }), []string{"one authorizer"}},
		{"response type", respond("NOPE", "", nil), []string{"NOPE"}},
		{"response status", respond("THROTTLED", "200", nil), []string{"200"}},
		{"unquoted literal", respond("THROTTLED", "", map[string]string{"gatewayresponse.header.X": "*"}), []string{"mapping expression"}},
		{"parameter name", respond("THROTTLED", "", map[string]string{"X": "'1'"}), []string{"gatewayresponse.header"}},
		{"model keyword", model("M", object{"type": "object", "properties": object{"a": object{"example": 1}}}), []string{"Unsupported keyword(s)", "example", "'M'"}},
		{"model name", model("a-b", object{}), []string{"'a-b'"}},
		{"model that is absent", request(func(o object) {
			o["requestBody"] = object{"content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/None"}}}}
		}), []string{"#/components/schemas/None"}},
		{"validator that is absent", request(func(o object) { o["x-amazon-apigateway-request-validator"] = "all" }), []string{"all"}},
		{"member of a validator", func(c *cloud) {
			c.document["x-amazon-apigateway-request-validators"] = object{"all": object{"validateAll": true}}
			c.document["x-amazon-apigateway-request-validator"] = "all"
			c.method("GET", "/a", "f")
		}, []string{"validateAll"}},
		{"second variable", paths("/a/{id}", "/a/{name}"), []string{"sibling"}},
		{"below greedy", paths("/{proxy+}/x"), []string{"greedy"}},
		{"empty part", paths("/a//b"), []string{"path part"}},
		{"no slash", paths("a"), []string{"slash"}},
		{"half a variable", paths("/{x"), []string{"path part"}},
		{"member of a path", func(c *cloud) { c.resource("/a")["trace"] = object{} }, []string{"trace"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, restapi.Deps{})
			c.method("GET", "/kept", "f")
			c.deploy()
			test.change(c)
			err := c.put()
			if err == nil {
				t.Fatal("it was imported")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not mention %q", err, want)
				}
			}
			if response, body := c.do("GET", "/kept", ""); response.StatusCode != 200 {
				t.Errorf("a refused import changed the API: %s", body)
			}
		})
	}
}

// TestAnImportNamesAllErrors as API Gateway does, so that one try shows them.
func TestAnImportNamesAllErrors(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/a", "f", secured("first"))
	c.method("GET", "/b", "f", secured("second"))
	if err := c.put(); err == nil || !strings.Contains(err.Error(), "first") || !strings.Contains(err.Error(), "second") {
		t.Errorf("error %v", err)
	}
}

func TestAnImportReplacesEverything(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/a", "a")
	c.respond("MISSING_AUTHENTICATION_TOKEN", "404", nil, nil)
	c.deploy()
	c.document = emptyDocument()
	c.method("GET", "/b", "b")
	c.deploy()
	response, body := c.do("GET", "/a", "")
	c.expect(response, body, 403, "")
	response, body = c.do("GET", "/b", "")
	c.expect(response, body, 200, "b")
}

func TestWhatCannotBeDeployed(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	_, unknown := c.service.PutDeployment(restapi.Deployment{APIID: "nope"})
	_, empty := c.service.PutDeployment(restapi.Deployment{APIID: c.api.ID})
	c.resource("/a")["get"] = object{"responses": object{}}
	c.must(c.put())
	_, half := c.service.PutDeployment(restapi.Deployment{APIID: c.api.ID})
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"API", unknown, "Invalid API identifier"},
		{"no methods", empty, "any methods"},
		{"no integration", half, "No integration defined for method GET /a"},
		{"stage without deployment", c.service.PutStage(restapi.Stage{APIID: c.api.ID, Name: "v1", DeploymentID: "nope"}), "Deployment"},
		{"settings without stage", c.service.PutMethodSettings(restapi.MethodSettings{APIID: c.api.ID, StageName: "nope"}), "stage"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: error %v does not mention %q", test.name, test.err, test.want)
		}
	}
	c.method("GET", "/a", "f")
	c.must(c.put())
	d, err := c.service.PutDeployment(restapi.Deployment{APIID: c.api.ID})
	c.must(err)
	c.must(c.service.PutStage(restapi.Stage{APIID: c.api.ID, Name: "v1", DeploymentID: d.ID}))
	if err := c.service.DeleteDeployment(c.api.ID, d.ID); err == nil || !strings.Contains(err.Error(), "Active stages") {
		t.Errorf("deleting a deployment that is served: %v", err)
	}
	c.must(c.service.DeleteStage(c.api.ID, "v1"))
	c.must(c.service.DeleteDeployment(c.api.ID, d.ID))
}

func TestRequestValidators(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.document["x-amazon-apigateway-request-validators"] = object{
		"all": object{"validateRequestBody": true, "validateRequestParameters": true}, "none": object{},
	}
	c.document["x-amazon-apigateway-request-validator"] = "all"
	member(member(c.document, "components"), "schemas")["Order"] = object{"type": "object", "required": []any{"size"}, "properties": object{"size": object{"type": "integer"}}}
	described := func(o object) {
		o["parameters"] = []any{
			object{"name": "X-Key", "in": "header", "required": true}, object{"name": "q", "in": "query", "required": true}, object{"name": "opt", "in": "query"},
		}
		o["requestBody"] = object{"content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/Order"}}}}
	}
	c.method("POST", "/a", "f", described)
	c.method("POST", "/b", "f", described, func(o object) { o["x-amazon-apigateway-request-validator"] = "none" })
	c.deploy()
	for _, test := range []struct {
		path, body, key, contentType string
		status                       int
		want                         string
	}{
		{"/a?q=1", `{"size":1}`, "k", "application/json; charset=utf-8", 200, "f"},
		{"/a", `{"size":1}`, " ", "application/json", 400, `{"message":"Missing required request parameters: [X-Key, q]"}`},
		{"/a?q=1", `{"size":"x"}`, "k", "application/json", 400, `{"message":"Invalid request body"}`},
		{"/a?q=1", `{"size":`, "k", "", 400, `{"message":"Invalid request body"}`},
		{"/a?q=1", `size`, "k", "text/plain", 200, "f"},
		{"/b", ``, "k", "application/json", 200, "f"},
	} {
		response, body := c.do("POST", test.path, test.body, "X-Key", test.key, "Content-Type", test.contentType)
		if response.StatusCode != test.status || body != test.want {
			t.Errorf("%s %s: got %d %s, want %d %s", test.path, test.body, response.StatusCode, body, test.status, test.want)
		}
	}
}
