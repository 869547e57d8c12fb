package authorizer

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/handshake"
	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

// connect decides on $connect, which takes tokens only. Whether the client
// offers the right subprotocol is for the integration of $connect to judge: only
// that can answer 400.
func (a *Authorizer) connect(ctx context.Context, headers handshake.Headers, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	identity, err := a.verifyToken(ctx, headers.Token())
	if err != nil {
		return a.refuse(ctx, "connection", err)
	}
	effect := effectAllow
	if reason := a.mayNotConnect(headers.Value("Origin"), e); reason != "" {
		a.Log.WarnContext(ctx, "connection denied", "reason", reason)
		effect = effectDeny
	}
	return answer(identity.UserID, effect, e.MethodArn, map[string]any{
		handshake.ContextUserID:       identity.UserID,
		handshake.ContextTokenExpires: strconv.FormatInt(identity.Expires.Unix(), 10),
		handshake.ContextGroups:       strings.Join(identity.Groups, ","),
	}), nil
}

func (a *Authorizer) verifyToken(ctx context.Context, raw string) (token.Identity, error) {
	if raw == "" {
		return token.Identity{}, invalid("there is none")
	}
	return a.Verifier.Verify(ctx, raw)
}

// mayNotConnect says what forbids a connection. A caller without an Origin is no
// browser.
func (a *Authorizer) mayNotConnect(origin string, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (reason string) {
	switch {
	case origin != "" && !a.Origins.With(e.StageVariables[environment.SiteOrigin]).Allow(origin):
		return "origin"
	case !a.Networks.Allow(e.RequestContext.Identity.SourceIP):
		return "network"
	}
	return ""
}
