package components

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

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
	{kind: "UNAUTHORIZED", status: 401, code: protocol.CodeUnauthenticated, title: "Unauthorized", detail: "The request has no valid ID token."},
	{kind: "WAF_FILTERED", status: 403, code: protocol.CodeForbidden, title: "Forbidden", detail: "The request was refused."},
	{kind: "DEFAULT_4XX", code: protocol.CodeInvalidRequest, title: "Bad Request"},
	{kind: "DEFAULT_5XX", code: protocol.CodeInternal, title: "Internal Server Error", retryAfter: true},
}

// exposedHeaders are those that a browser's script may read.
const exposedHeaders = "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"

func (b *build) newGatewayResponses() error {
	origin := gatewayOrigin(b.args.Auth.AllowedOrigins)
	for _, r := range gatewayResponses {
		args := &apigateway.ResponseArgs{
			RestApiId:          b.rest.api.ID(),
			ResponseType:       pulumi.String(r.kind),
			ResponseParameters: r.parameters(origin),
			// Templates are found by application/json, whatever type they are
			// sent with.
			ResponseTemplates: pulumi.StringMap{"application/json": pulumi.String(r.template())},
		}
		if r.status != 0 {
			args.StatusCode = pulumi.String(strconv.Itoa(r.status))
		}
		role := strings.ToLower(strings.ReplaceAll(r.kind, "_", "-")) + "-response"
		response, err := apigateway.NewResponse(b.ctx, b.child(role), args, b.options()...)
		if err != nil {
			return fmt.Errorf("creating gateway response %s: %w", r.kind, err)
		}
		b.rest.deployed.add(response, r.contents(origin))
	}
	return nil
}

// template is a problem document. API Gateway only substitutes variables in
// it, so status and code are literal.
func (r gatewayResponse) template() string {
	var t strings.Builder
	fmt.Fprintf(&t, `{"type":%q,"title":%q`, protocol.ProblemURN(r.code), r.title)
	if r.status != 0 {
		fmt.Fprintf(&t, `,"status":%d`, r.status)
	}
	if r.detail != "" {
		fmt.Fprintf(&t, `,"detail":%q`, r.detail)
	} else {
		t.WriteString(`,"detail":$context.error.messageString`)
	}
	fmt.Fprintf(&t, `,"code":%q}`, r.code)
	return t.String()
}

// parameters are the headers, of which that of the origin may be known later.
func (r gatewayResponse) parameters(origin pulumi.StringInput) pulumi.StringMap {
	parameters := pulumi.StringMap{"gatewayresponse.header.Access-Control-Allow-Origin": pulumi.Sprintf("'%s'", origin)}
	for name, value := range r.headers() {
		parameters["gatewayresponse.header."+name] = pulumi.String("'" + value + "'")
	}
	return parameters
}

func (r gatewayResponse) headers() map[string]string {
	headers := map[string]string{
		"Content-Type":                  protocol.ProblemType,
		"Access-Control-Expose-Headers": exposedHeaders,
	}
	if r.retryAfter {
		headers["Retry-After"] = "1"
	}
	return headers
}

// contents identifies the response within a deployment.
func (r gatewayResponse) contents(origin pulumi.StringInput) pulumi.StringOutput {
	parts := []string{r.kind, strconv.Itoa(r.status), r.template()}
	headers := r.headers()
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		parts = append(parts, name, headers[name])
	}
	return pulumi.Sprintf("%s\n%s", strings.Join(parts, "\n"), origin)
}
