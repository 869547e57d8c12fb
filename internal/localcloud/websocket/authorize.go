package websocket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
)

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
	if err != nil {
		return nil, refusedInternal
	}
	verdict, err := gateway.ParseVerdict(result)
	if err != nil {
		return nil, refusedInternal
	}
	if !verdict.Allows(e.MethodARN) {
		return nil, refusedDenied
	}
	return verdict.Context, nil
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
