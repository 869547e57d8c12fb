// Package authorizer decides who may open a WebSocket connection.
package authorizer

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/allowlist"
	"github.com/streaming-service/streaming-service/lambdas/internal/handshake"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

// Keys of the context that API Gateway passes on to every later event of the
// socket. All values are strings.
const (
	ContextUserID       = "userId"
	ContextTokenExpires = "tokenExp" // seconds since the epoch
	ContextGroups       = "groups"   // comma-separated
)

// errUnauthorized makes API Gateway answer 401. The text is AWS's: any other
// error is a 500.
var errUnauthorized = errors.New("Unauthorized") //nolint:revive,staticcheck // exact text required by API Gateway

// Verifier verifies a token. Its error wraps token.ErrInvalid if the token is
// to blame.
type Verifier interface {
	Verify(ctx context.Context, raw string) (token.Identity, error)
}

// Authorizer answers the REQUEST authorizer of $connect.
type Authorizer struct {
	Verifier Verifier
	// Origins that browsers may come from. Empty: any. A client without an
	// Origin is not a browser and passes.
	Origins allowlist.Origins
	// Networks that clients may come from. Empty: any.
	Networks allowlist.Networks
	Log      *slog.Logger
	Metrics  *metrics.Recorder // nil: none are written
}

// Handle answers 401 without a valid token, 403 from a wrong origin or network,
// and 500 if it cannot tell. Whether the client offers the right subprotocol is
// for the integration of $connect to judge: only that can answer 400.
func (a *Authorizer) Handle(ctx context.Context, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	headers := handshake.Headers{Single: e.Headers, Multi: e.MultiValueHeaders}
	raw := headers.Token()
	if raw == "" {
		return a.refuse(ctx, "no token")
	}
	identity, err := a.Verifier.Verify(ctx, raw)
	switch {
	case errors.Is(err, token.ErrInvalid):
		return a.refuse(ctx, err.Error())
	case err != nil:
		// Refusals are errors to Lambda, too, so its own count tells nothing.
		a.Log.ErrorContext(ctx, "cannot verify tokens", "error", err)
		a.Metrics.Record(metrics.Count(metrics.InternalErrors, 1))
		return events.APIGatewayCustomAuthorizerResponse{}, errors.New("verifying the token failed")
	case !a.originAllowed(headers.Value("Origin")):
		a.Log.WarnContext(ctx, "connection denied", "reason", "origin")
		return answer(identity, "Deny", e.MethodArn), nil
	case !a.Networks.Allow(e.RequestContext.Identity.SourceIP):
		a.Log.WarnContext(ctx, "connection denied", "reason", "network")
		return answer(identity, "Deny", e.MethodArn), nil
	}
	return answer(identity, "Allow", e.MethodArn), nil
}

func (a *Authorizer) refuse(ctx context.Context, why string) (events.APIGatewayCustomAuthorizerResponse, error) {
	a.Log.InfoContext(ctx, "connection unauthorized", "reason", why)
	return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
}

// originAllowed lets a caller without an Origin pass, which is no browser.
func (a *Authorizer) originAllowed(origin string) bool {
	return origin == "" || a.Origins.Allow(origin)
}

// answer is the policy for exactly the method that was asked for.
func answer(identity token.Identity, effect, methodARN string) events.APIGatewayCustomAuthorizerResponse {
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: identity.UserID,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action:   []string{"execute-api:Invoke"},
				Effect:   effect,
				Resource: []string{methodARN},
			}},
		},
		Context: map[string]any{
			ContextUserID:       identity.UserID,
			ContextTokenExpires: strconv.FormatInt(identity.Expires.Unix(), 10),
			ContextGroups:       strings.Join(identity.Groups, ","),
		},
	}
}
