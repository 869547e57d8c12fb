package websocket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/restapi/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi/rawheader"
)

// maxAuthorizerResult is the largest result of an authorizer, in bytes
// (API Gateway quotas).
const maxAuthorizerResult = 8 << 10

// refusal is a handshake that the gateway does not accept.
type refusal struct {
	status    int
	errorType string
	message   string
	body      []byte // of the $connect integration, instead of the message
}

var (
	refusedUnauthorized = &refusal{status: http.StatusUnauthorized, errorType: "UnauthorizedException", message: "Unauthorized"}
	refusedForbidden    = &refusal{status: http.StatusForbidden, errorType: "ForbiddenException", message: "Forbidden"}
	refusedDenied       = &refusal{status: http.StatusForbidden, errorType: "AccessDeniedException", message: "User is not authorized to access this resource"}
	refusedThrottled    = &refusal{status: http.StatusTooManyRequests, errorType: "TooManyRequestsException", message: "Too Many Requests"}
	refusedInternal     = &refusal{status: http.StatusInternalServerError, errorType: "InternalServerErrorException", message: "Internal server error"}
	refusedBadGateway   = &refusal{status: http.StatusBadGateway, errorType: "InternalServerErrorException", message: "Internal server error"}
	refusedTimeout      = &refusal{status: http.StatusGatewayTimeout, errorType: "GatewayTimeoutException", message: "Endpoint request timed out"}
)

// authorize runs the REQUEST authorizer of $connect and returns what it tells
// later events. Nothing is cached.
func (s *Service) authorize(ctx context.Context, z Authorizer, sess *session, e event, fields []rawheader.Field) (map[string]string, *refusal) {
	for _, source := range z.IdentitySources {
		parsed, err := parseIdentitySource(source)
		if err != nil || parsed.value(e, fields) == "" {
			return nil, refusedUnauthorized
		}
	}
	e.Type = "REQUEST"
	e.MethodARN = gateway.ExecutionARN(sess.key.apiID + "/" + sess.key.stage + "/$connect")
	result, err := s.call(ctx, z.URI, gateway.ExecutionARN(sess.key.apiID+"/authorizers/"+z.ID), e, s.deps.Options.IntegrationTimeout)
	if failed, ok := errors.AsType[functionError](err); ok && failed.message == "Unauthorized" {
		return nil, refusedUnauthorized
	}
	if err != nil || len(result) > maxAuthorizerResult {
		return nil, refusedInternal
	}
	verdict, err := parseVerdict(result)
	if err != nil {
		return nil, refusedInternal
	}
	if !verdict.allows(e.MethodARN) {
		return nil, refusedDenied
	}
	return verdict.context, nil
}

// identitySource is a part of the handshake that must be there.
type identitySource struct{ kind, name string }

// parseIdentitySource accepts route.request.header.X and
// route.request.querystring.X.
func parseIdentitySource(source string) (identitySource, error) {
	for _, kind := range []string{"header", "querystring"} {
		if name, ok := strings.CutPrefix(source, "route.request."+kind+"."); ok && name != "" {
			return identitySource{kind, name}, nil
		}
	}
	return identitySource{}, fmt.Errorf("the local cloud does not know identity source %q", source)
}

// value matches names by case, as API Gateway does.
func (i identitySource) value(e event, fields []rawheader.Field) string {
	if i.kind == "querystring" {
		return e.QueryStringParameters[i.name]
	}
	return gateway.Single(fields)[i.name]
}

// verdict is the result of an authorizer.
type verdict struct {
	statements []statement
	context    map[string]string
}

type statement struct {
	Effect   string
	Action   stringOrList
	Resource stringOrList
}

// stringOrList is a policy element that may be one string.
type stringOrList []string

func (l *stringOrList) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = stringOrList{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// statements that may be one object.
type statements []statement

func (l *statements) UnmarshalJSON(data []byte) error {
	var one statement
	if json.Unmarshal(data, &one) == nil {
		*l = statements{one}
		return nil
	}
	return json.Unmarshal(data, (*[]statement)(l))
}

func parseVerdict(result []byte) (verdict, error) {
	var output struct {
		PrincipalID    *string `json:"principalId"`
		PolicyDocument *struct {
			Statement statements
		} `json:"policyDocument"`
		Context map[string]json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(result, &output); err != nil {
		return verdict{}, fmt.Errorf("decoding authorizer result: %w", err)
	}
	if output.PrincipalID == nil || output.PolicyDocument == nil {
		return verdict{}, errors.New("reading authorizer result: principalId or policyDocument is missing")
	}
	v := verdict{output.PolicyDocument.Statement, map[string]string{"principalId": *output.PrincipalID}}
	for name, raw := range output.Context {
		text := scalarText(raw)
		if text == "" && string(raw) != `""` {
			return verdict{}, fmt.Errorf("reading authorizer context: %s is no string, number or boolean", name)
		}
		v.context[name] = text
	}
	return v, nil
}

// allows applies the policy: a Deny wins, nothing that matches is a Deny too.
func (v verdict) allows(methodARN string) bool {
	allowed := false
	for _, st := range v.statements {
		if !matchesAny(st.Action, "execute-api:Invoke") || !matchesAny(st.Resource, methodARN) {
			continue
		}
		if st.Effect != "Allow" {
			return false
		}
		allowed = true
	}
	return allowed
}

func matchesAny(patterns []string, value string) bool {
	for _, pattern := range patterns {
		if matches(pattern, value) {
			return true
		}
	}
	return false
}

// matches applies the wildcards * and ? of policies.
func matches(pattern, value string) bool {
	star, mark := -1, 0
	p, v := 0, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			p++
			v++
		case star >= 0:
			mark++
			p, v = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
