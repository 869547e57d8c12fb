package openapi_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/openapi"
	"github.com/streaming-service/streaming-service/protocol"
)

type object = map[string]any

// chat is an API with every kind of operation: streamed, judged by a function,
// of users, and open.
func chat() openapi.API {
	return openapi.API{
		Title: "Chat", Version: "1.0.0", Description: "Chats.", CatchAll: "rest",
		PathParameters: map[string]openapi.Parameter{"keyId": {Description: "A key.", Schema: openapi.Ref("common#/$defs/requestId")}},
		Operations: []openapi.Operation{
			{
				ID: "complete", Role: "complete", Method: http.MethodPost, Path: "/v1/chat", Function: "completions", Access: openapi.Authorizer, Stream: true, OwnErrors: true,
				Request: &openapi.Body{Schema: openapi.Ref("submit-request"), Examples: object{"short": object{"prompt": "Hi"}}},
				Responses: []openapi.Response{
					{Status: 200, Description: "Events.", MediaType: "text/event-stream", Schema: openapi.Schema{"type": "string"}, Other: map[string]openapi.Schema{"application/json": openapi.Ref("submit-response")}},
				},
			},
			{
				ID: "forget", Role: "forget", Method: http.MethodDelete, Path: "/keys/{keyId}", Function: "keys", Access: openapi.UserPool,
				Responses: []openapi.Response{{Status: 200, Description: "Gone.", Schema: openapi.Ref("usage")}},
				Problems:  []protocol.Code{protocol.CodeNotFound},
			},
			{ID: "health", Role: "health", Method: http.MethodGet, Path: "/health", Function: "rest", Responses: []openapi.Response{{Status: 204, Description: "Well."}}},
		},
	}
}

func imported(t *testing.T, a openapi.API) object {
	t.Helper()
	text, err := a.Import(openapi.Gateway{
		Partition: "aws-cn", Region: "cn-north-1", UserPoolARN: "arn:pool", AllowOrigin: "https://a.example",
		FunctionARNs: map[string]string{"completions": "arn:completions", "keys": "arn:keys", "rest": "arn:rest", "authorizer": "arn:authorizer"},
	})
	return parse(t, []byte(text), err)
}

func parse(t *testing.T, text []byte, err error) (doc object) {
	t.Helper()
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// at is what stands at a place of a document, names separated by spaces.
func at(doc object, place string) any {
	var v any = doc
	for name := range strings.SplitSeq(place, " ") {
		v = v.(object)[name]
	}
	return v
}

func expect(t *testing.T, doc object, want map[string]any) {
	t.Helper()
	for place, value := range want {
		if got := at(doc, place); !reflect.DeepEqual(got, value) {
			t.Errorf("%s is %v, want %v", place, got, value)
		}
	}
}

func TestIntegrations(t *testing.T) {
	t.Parallel()
	const extension = "x-amazon-apigateway-integration"
	buffered := func(function string) object {
		return object{"type": "aws_proxy", "httpMethod": "POST", "uri": "arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/arn:" + function + "/invocations"}
	}
	expect(t, imported(t, chat()), map[string]any{
		"paths /v1/chat post " + extension: object{
			"type": "aws_proxy", "httpMethod": "POST", "responseTransferMode": "STREAM", "timeoutInMillis": 900_000.0,
			"uri": "arn:aws-cn:apigateway:cn-north-1:lambda:path/2021-11-15/functions/arn:completions/response-streaming-invocations",
		},
		"paths /keys/{keyId} delete " + extension:                         buffered("keys"),
		"paths /health get " + extension:                                  buffered("rest"),
		"paths /v1/chat options " + extension:                             buffered("rest"),
		"paths /v1/chat x-amazon-apigateway-any-method " + extension:      buffered("rest"),
		"paths / x-amazon-apigateway-any-method " + extension:             buffered("rest"),
		"paths /{proxy+} x-amazon-apigateway-any-method " + extension:     buffered("rest"),
		"paths /keys/{keyId} x-amazon-apigateway-any-method " + extension: buffered("rest"),
		"paths /keys/{keyId} x-amazon-apigateway-any-method operationId":  nil,
		"paths /{proxy+} x-amazon-apigateway-any-method parameters":       []any{object{"name": "proxy", "in": "path", "required": true, "schema": object{"type": "string"}}},
		"paths /keys/{keyId} options parameters":                          at(imported(t, chat()), "paths /keys/{keyId} x-amazon-apigateway-any-method parameters"),
	})
}

func TestAuthorizers(t *testing.T) {
	t.Parallel()
	doc := imported(t, chat())
	expect(t, doc, map[string]any{
		"paths /v1/chat post security":                                []any{object{"authorizer": []any{}}},
		"paths /keys/{keyId} delete security":                         []any{object{"idToken": []any{}}},
		"paths /keys/{keyId} x-amazon-apigateway-any-method security": []any{object{"idToken": []any{}}},
		"paths /keys/{keyId} options security":                        []any{},
		"paths /health get security":                                  []any{},
		"components securitySchemes idToken": object{
			"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "cognito_user_pools",
			"x-amazon-apigateway-authorizer": object{"type": "cognito_user_pools", "providerARNs": []any{"arn:pool"}},
		},
		"components securitySchemes authorizer": object{
			"type": "apiKey", "in": "header", "name": "Unused", "x-amazon-apigateway-authtype": "custom",
			"x-amazon-apigateway-authorizer": object{
				"type": "request", "authorizerResultTtlInSeconds": 0.0,
				"authorizerUri": "arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/arn:authorizer/invocations",
			},
		},
	})
	a := chat()
	a.Operations = a.Operations[1:]
	if schemes := at(imported(t, a), "components securitySchemes").(object); len(schemes) != 1 {
		t.Errorf("schemes %v of an API without function authorizer", schemes)
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	want := []openapi.Call{
		{Role: "complete", Function: "completions", Source: "v1/POST/v1/chat"},
		{Role: "forget", Function: "keys", Source: "v1/DELETE/keys/*"},
		{Role: "rest-authorizer", Function: "authorizer", Source: "authorizers/*"},
		{Role: "rest", Function: "rest", Source: "v1/*/*"},
	}
	if got := chat().Calls("v1"); !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
	a := chat()
	a.Operations = a.Operations[1:]
	if got := a.Calls("v1"); len(got) != 2 {
		t.Errorf("calls %v of an API without function authorizer", got)
	}
}

func TestPublicDocument(t *testing.T) {
	t.Parallel()
	text, err := chat().Public()
	doc := parse(t, text, err)
	if strings.Contains(string(text), "x-amazon") {
		t.Error("it names what is AWS's")
	}
	expect(t, doc, map[string]any{
		"paths /v1/chat options":                          nil,
		"paths /{proxy+}":                                 nil,
		"paths /":                                         nil,
		"paths /health get security":                      []any{},
		"paths /v1/chat post responses 429":               nil,
		"components securitySchemes idToken bearerFormat": "JWT",
		"components securitySchemes authorizer scheme":    "bearer",
		"paths /v1/chat post requestBody content application/json examples short value prompt":                            "Hi",
		"paths /v1/chat post responses 200 content text/event-stream schema type":                                         "string",
		"paths /keys/{keyId} delete responses 404 content application/problem+json examples not_found value code":         "not_found",
		"paths /keys/{keyId} delete responses 404 content application/problem+json schema $ref":                           "#/components/schemas/Problem",
		"paths /keys/{keyId} delete responses 429 headers Retry-After required":                                           true,
		"paths /keys/{keyId} delete responses 401 content application/problem+json examples unauthenticated value status": 401.0,
		"paths /health get responses 401":         nil,
		"paths /health get responses 204 content": nil,
	})
}

// TestSchemasOfOpenAPI: what JSON Schema says in another way.
func TestSchemasOfOpenAPI(t *testing.T) {
	t.Parallel()
	text, err := chat().Public()
	expect(t, parse(t, text, err), map[string]any{
		"components schemas Limit":                              object{"description": "null is unlimited.", "type": "integer", "nullable": true, "minimum": 0.0},
		"components schemas ProblemCode type":                   "string",
		"components schemas SubmitRequest required":             nil,
		"components schemas SubmitRequest $id":                  nil,
		"components schemas SubmitRequest additionalProperties": false,
		"components schemas SubmitRequest oneOf":                []any{object{"required": []any{"messages"}}, object{"required": []any{"prompt"}}},
		"components schemas Problem if":                         nil,
		"components schemas Usage properties tokens properties reserved": object{
			"description": "What open requests may still spend.", "allOf": []any{object{"$ref": "#/components/schemas/Count"}},
		},
		"components schemas Usage properties requests properties limit": object{"$ref": "#/components/schemas/Limit"},
	})
}

// TestModels: an import that holds a keyword that models do not have fails as
// a whole.
func TestModels(t *testing.T) {
	t.Parallel()
	doc := imported(t, chat())
	expect(t, doc, map[string]any{
		"components schemas Limit":                                          object{"description": "null is unlimited."},
		"components schemas SubmitRequest oneOf":                            nil,
		"components schemas RequestId":                                      object{"description": "26 characters of lower-case base32.", "type": "string"},
		"paths /v1/chat post responses 200 content text/event-stream":       nil,
		"paths /v1/chat post requestBody content application/json examples": nil,
		"paths /v1/chat post requestBody content application/json schema":   object{"$ref": "#/components/schemas/SubmitRequest"},
		"components schemas Usage properties tokens properties reserved":    object{"$ref": "#/components/schemas/Count"},
		"paths /v1/chat post responses 200 content application/json schema": object{"$ref": "#/components/schemas/SubmitResponse"},
		"servers": nil,
		"tags":    nil,
	})
	if text, _ := json.Marshal(at(doc, "paths")); strings.Contains(string(text), `"examples"`) {
		t.Error("examples are imported")
	}
}

func TestGatewayResponses(t *testing.T) {
	t.Parallel()
	doc := imported(t, chat())
	expect(t, doc, map[string]any{
		"x-amazon-apigateway-gateway-responses THROTTLED": object{
			"statusCode": "429",
			"responseParameters": object{
				"gatewayresponse.header.Access-Control-Allow-Origin":   "'https://a.example'",
				"gatewayresponse.header.Access-Control-Expose-Headers": "'Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset'",
				"gatewayresponse.header.Content-Type":                  "'application/problem+json'",
				"gatewayresponse.header.Retry-After":                   "'1'",
			},
			"responseTemplates": object{"application/json": `{"type":"urn:streaming-service:rate_limited","title":"Too Many Requests","status":429,"detail":"The service takes no more requests at the moment.","code":"rate_limited","error":{"message":"The service takes no more requests at the moment.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`},
		},
		"x-amazon-apigateway-gateway-responses DEFAULT_4XX statusCode": nil,
	})
	for kind, response := range at(doc, "x-amazon-apigateway-gateway-responses").(object) {
		template := strings.ReplaceAll(at(response.(object), "responseTemplates application/json").(string), "$context.error.messageString", `"m"`)
		var problem protocol.Problem
		if err := json.Unmarshal([]byte(template), &problem); err != nil || problem.Status != 0 && kind != "INTEGRATION_TIMEOUT" && problem.Status != problem.Code.HTTPStatus() {
			t.Errorf("%s answers %s: %v", kind, template, err)
		}
	}
}

// TestKeywordsWithoutCounterpart: no part of a schema is lost unnoticed.
func TestKeywordsWithoutCounterpart(t *testing.T) {
	t.Parallel()
	for _, node := range []object{
		{"properties": object{"a": object{"exclusiveMinimum": 1}}},
		{"oneOf": []any{object{"patternProperties": object{}}}},
		{"$ref": "#/$defs/nowhere"},
		{"$ref": "urn:streaming-service:schema:nowhere"},
	} {
		if got, err := openapi.Convert(node); err == nil {
			t.Errorf("%v becomes %v", node, got)
		}
	}
}

func TestASchemaThatIsAbsentIsAnError(t *testing.T) {
	t.Parallel()
	a := chat()
	a.Operations[2].Responses[0].Schema = openapi.Ref("nothing")
	if _, err := a.Public(); err == nil || !strings.Contains(err.Error(), "Nothing") {
		t.Errorf("error %v", err)
	}
}

// TestDocumentsAreASCII: readers of YAML refuse control characters, which the
// patterns of schemas name.
func TestDocumentsAreASCII(t *testing.T) {
	t.Parallel()
	a := chat()
	a.Description = "Ünïcode \u007f \u0085 \u2028 \U0001F600"
	public, err := a.Public()
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(string(public), func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }); i >= 0 {
		t.Errorf("there is %q", public[i:i+8])
	}
	expect(t, parse(t, public, nil), map[string]any{"info description": a.Description})
	expect(t, imported(t, a), map[string]any{"info description": a.Description})
}

func TestDocumentsAreDeterministic(t *testing.T) {
	t.Parallel()
	first, err := chat().Public()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, _ := chat().Public(); string(again) != string(first) {
			t.Fatal("it changes by itself")
		}
	}
}
