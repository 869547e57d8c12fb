package openapi

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// gatewayResponse is an error that API Gateway itself answers. A type does not
// inherit from its default, so each carries all of its headers.
type gatewayResponse struct {
	kind       string // UNAUTHORIZED
	status     int    // 0 on defaults, where it would change every other type
	code       protocol.Code
	title      string
	detail     string // "" is the gateway's own message
	retryAfter bool
}

// gatewayResponses shape the gateway's errors like those of the functions. A
// path or method that does not exist is MISSING_AUTHENTICATION_TOKEN, or
// INVALID_SIGNATURE when the call has a bearer token.
var gatewayResponses = []gatewayResponse{
	{kind: "ACCESS_DENIED", status: 403, code: protocol.CodeForbidden, title: "Forbidden", detail: "The caller may not use this resource."},
	{kind: "API_CONFIGURATION_ERROR", status: 500, code: protocol.CodeInternal, title: "Internal Server Error", detail: "The service is not configured correctly.", retryAfter: true},
	{kind: "AUTHORIZER_CONFIGURATION_ERROR", status: 500, code: protocol.CodeInternal, title: "Internal Server Error", detail: "The caller could not be authenticated.", retryAfter: true},
	{kind: "AUTHORIZER_FAILURE", status: 500, code: protocol.CodeInternal, title: "Internal Server Error", detail: "The caller could not be authenticated.", retryAfter: true},
	{kind: "BAD_REQUEST_BODY", status: 400, code: protocol.CodeInvalidRequest, title: "Bad Request", detail: "The body of the request is not valid."},
	{kind: "BAD_REQUEST_PARAMETERS", status: 400, code: protocol.CodeInvalidRequest, title: "Bad Request", detail: "A parameter of the request is not valid."},
	{kind: "EXPIRED_TOKEN", status: 401, code: protocol.CodeUnauthenticated, title: "Unauthorized", detail: "The token has expired."},
	{kind: "INTEGRATION_TIMEOUT", status: 504, code: protocol.CodeInternal, title: "Gateway Timeout", detail: "The outcome is unknown; sending the same Idempotency-Key again is safe.", retryAfter: true},
	{kind: "INVALID_SIGNATURE", status: 404, code: protocol.CodeNotFound, title: "Not Found", detail: "There is no such resource."},
	{kind: "MISSING_AUTHENTICATION_TOKEN", status: 404, code: protocol.CodeNotFound, title: "Not Found", detail: "There is no such resource."},
	{kind: "QUOTA_EXCEEDED", status: 429, code: protocol.CodeRateLimited, title: "Too Many Requests", detail: "The service takes no more requests at the moment.", retryAfter: true},
	{kind: "REQUEST_TOO_LARGE", status: 413, code: protocol.CodePayloadTooLarge, title: "Content Too Large", detail: "The request is too large."},
	{kind: "RESOURCE_NOT_FOUND", status: 404, code: protocol.CodeNotFound, title: "Not Found", detail: "There is no such resource."},
	{kind: "THROTTLED", status: 429, code: protocol.CodeRateLimited, title: "Too Many Requests", detail: "The service takes no more requests at the moment.", retryAfter: true},
	{kind: "UNAUTHORIZED", status: 401, code: protocol.CodeUnauthenticated, title: "Unauthorized", detail: "The request has no valid ID token or key."},
	{kind: "WAF_FILTERED", status: 403, code: protocol.CodeForbidden, title: "Forbidden", detail: "The request was refused."},
	{kind: "DEFAULT_4XX", code: protocol.CodeInvalidRequest, title: "Bad Request"},
	{kind: "DEFAULT_5XX", code: protocol.CodeInternal, title: "Internal Server Error", retryAfter: true},
}

// gatewayResponsesFor are all of them, for pages of an origin to read.
func gatewayResponsesFor(origin string) object {
	all := object{}
	for _, r := range gatewayResponses {
		response := object{
			"responseParameters": r.parameters(origin),
			// Templates are found by application/json, whatever type they are
			// sent with.
			"responseTemplates": object{mediaTypeJSON: r.template()},
		}
		if r.status != 0 {
			response["statusCode"] = strconv.Itoa(r.status)
		}
		all[r.kind] = response
	}
	return all
}

// template is a problem document. API Gateway only substitutes variables in
// it, so status and code are literal.
func (r gatewayResponse) template() string {
	var t strings.Builder
	fmt.Fprintf(&t, `{"type":%q,"title":%q`, protocol.ProblemURN(r.code), r.title)
	if r.status != 0 {
		fmt.Fprintf(&t, `,"status":%d`, r.status)
	}
	detail := `$context.error.messageString`
	if r.detail != "" {
		detail = strconv.Quote(r.detail)
	}
	fmt.Fprintf(&t, `,"detail":%s,"code":%q,"error":%s}`, detail, r.code, r.openAIError(detail))
	return t.String()
}

// openAIError is the error as clients of OpenAI's API read it. API Gateway has
// one response for all paths, so it is a member of every problem.
func (r gatewayResponse) openAIError(message string) string {
	kind, code := "invalid_request_error", string(r.code)
	switch r.code {
	case protocol.CodeUnauthenticated:
		code = "invalid_api_key"
	case protocol.CodeRateLimited:
		kind, code = "requests", "rate_limit_exceeded"
	case protocol.CodeForbidden:
		kind = "request_forbidden"
	case protocol.CodeInternal:
		kind = "server_error"
	}
	return fmt.Sprintf(`{"message":%s,"type":%q,"param":null,"code":%q}`, message, kind, code)
}

// parameters are the headers, as literals.
func (r gatewayResponse) parameters(origin string) object {
	headers := map[string]string{
		"Content-Type":                  protocol.ProblemType,
		"Access-Control-Allow-Origin":   origin,
		"Access-Control-Expose-Headers": protocol.ExposedHeaders,
	}
	if r.retryAfter {
		headers["Retry-After"] = "1"
	}
	parameters := object{}
	for name, value := range headers {
		parameters["gatewayresponse.header."+name] = "'" + value + "'"
	}
	return parameters
}
