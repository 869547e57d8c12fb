package openapi

import (
	"bytes"
	"slices"
	"strings"
)

// Gateway is what API Gateway has to know beyond the document.
type Gateway struct {
	Partition, Region string
	UserPoolARN       string
	FunctionARNs      map[string]string // by the function's name
	AllowOrigin       string            // of the answers that API Gateway itself gives
}

// streamTimeoutMillis is the longest time that an answer may be streamed
// (API Gateway developer guide, response-transfer-mode).
const streamTimeoutMillis = 900_000

// Import is the document that API Gateway makes the API of.
func (a API) Import(g Gateway) (string, error) {
	schemas, err := a.schemas()
	if err != nil {
		return "", err
	}
	doc := a.document(importable(schemas))
	paths := doc["paths"].(object)
	for _, o := range a.Operations {
		operation := paths[o.Path].(object)[strings.ToLower(o.Method)].(object)
		importableOperation(operation)
		operation["x-amazon-apigateway-integration"] = g.integration(o.Function, o.Stream)
	}
	for _, path := range append(a.paths(), "/", "/{proxy+}") {
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item["x-amazon-apigateway-any-method"] = a.caught(path, UserPool, g)
		item["options"] = a.caught(path, Open, g) // browsers send it without a token
	}
	doc["components"].(object)["securitySchemes"] = a.authorizers(g)
	doc["x-amazon-apigateway-gateway-responses"] = gatewayResponsesFor(g.AllowOrigin)
	// Bodies reach the functions byte by byte. As text, API Gateway would put
	// U+FFFD for what is not UTF-8, and it could not be refused. Answers are
	// text all the same.
	doc["x-amazon-apigateway-binary-media-types"] = []any{"*/*"}
	text, err := encode(doc, "")
	return string(bytes.TrimSpace(text)), err
}

// caught is a method of the catch-all.
func (a API) caught(path string, access Access, g Gateway) object {
	method := object{
		"responses":                       object{},
		"security":                        access.requirements(),
		"x-amazon-apigateway-integration": g.integration(a.CatchAll, false),
	}
	if parameters := a.pathParameters(path); len(parameters) > 0 {
		method["parameters"] = parameters
	}
	return method
}

// integration lets a function answer: at once or, as a stream, while it writes.
func (g Gateway) integration(function string, stream bool) object {
	integration := object{"type": "aws_proxy", "httpMethod": "POST", "uri": g.invokeURI(function)}
	if stream {
		integration["uri"] = g.streamURI(function)
		integration["responseTransferMode"] = "STREAM"
		integration["timeoutInMillis"] = streamTimeoutMillis
	}
	return integration
}

func (g Gateway) invokeURI(function string) string {
	return g.lambdaURI("2015-03-31", function, "invocations")
}

func (g Gateway) streamURI(function string) string {
	return g.lambdaURI("2021-11-15", function, "response-streaming-invocations")
}

func (g Gateway) lambdaURI(version, function, call string) string {
	return "arn:" + g.Partition + ":apigateway:" + g.Region + ":lambda:path/" + version + "/functions/" + g.FunctionARNs[function] + "/" + call
}

// authorizers are the security schemes as API Gateway has them: it takes
// nothing but apiKey there, and makes an authorizer of the extension. A method
// with a Cognito authorizer and without scopes takes ID tokens.
func (a API) authorizers(g Gateway) object {
	schemes := object{string(UserPool): object{
		"type": "apiKey", "in": "header", "name": "Authorization",
		"x-amazon-apigateway-authtype": "cognito_user_pools",
		"x-amazon-apigateway-authorizer": object{
			"type": "cognito_user_pools", "providerARNs": []any{g.UserPoolARN},
		},
	}}
	if slices.ContainsFunc(a.Operations, func(o Operation) bool { return o.Access == Authorizer }) {
		// Without identity sources the function sees every call and finds the
		// header in any case. A cached answer would outlive a deleted key.
		schemes[string(Authorizer)] = object{
			"type": "apiKey", "in": "header", "name": "Unused",
			"x-amazon-apigateway-authtype": "custom",
			"x-amazon-apigateway-authorizer": object{
				"type": "request", "authorizerUri": g.invokeURI(string(Authorizer)), "authorizerResultTtlInSeconds": 0,
			},
		}
	}
	return schemes
}
