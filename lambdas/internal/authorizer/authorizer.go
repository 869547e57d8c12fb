// Package authorizer decides who may open a WebSocket connection, and who may
// call the paths of the REST API that take personal keys beside ID tokens.
package authorizer

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/allowlist"
	"github.com/streaming-service/streaming-service/lambdas/internal/handshake"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

// errUnauthorized makes API Gateway answer 401. The text is AWS's: any other
// error is a 500.
var errUnauthorized = errors.New("Unauthorized") //nolint:revive,staticcheck // exact text required by API Gateway

// Effects of a policy: Deny makes API Gateway answer 403.
const (
	effectAllow = "Allow"
	effectDeny  = "Deny"
)

// Verifier verifies a token. Its error wraps token.ErrInvalid if the token is
// to blame.
type Verifier interface {
	Verify(ctx context.Context, raw string) (token.Identity, error)
}

// Authorizer answers the REQUEST authorizers of both APIs.
type Authorizer struct {
	Verifier Verifier
	// Keys verifies personal keys. nil: they are off.
	Keys *PersonalKeys
	// Origins that browsers may open sockets from, beside that of the site. Empty:
	// any. A client without an Origin is not a browser and passes.
	Origins allowlist.Origins
	// Networks that clients may come from. Empty: any.
	Networks allowlist.Networks
	Log      *slog.Logger
	Metrics  *metrics.Recorder // nil: none are written
}

// Handle answers 401 without a valid credential, 403 from a wrong origin or
// network, and 500 if it cannot tell. Only events of the REST API have a method.
func (a *Authorizer) Handle(ctx context.Context, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	headers := handshake.Headers{Single: e.Headers, Multi: e.MultiValueHeaders}
	if e.HTTPMethod == "" {
		return a.connect(ctx, headers, e)
	}
	return a.call(ctx, headers, e)
}

// refuse answers for a credential that could not be verified: 401 if it is to
// blame.
func (a *Authorizer) refuse(ctx context.Context, what string, err error) (events.APIGatewayCustomAuthorizerResponse, error) {
	if errors.Is(err, token.ErrInvalid) {
		a.Log.InfoContext(ctx, what+" unauthorized", "reason", err.Error())
		return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
	}
	// Refusals are errors to Lambda, too, so its own count tells nothing.
	a.Log.ErrorContext(ctx, "cannot verify "+what, "error", err)
	a.Metrics.Record(metrics.Count(metrics.InternalErrors, 1))
	return events.APIGatewayCustomAuthorizerResponse{}, errors.New("verifying the credential failed")
}

// answer is the policy for one resource of the API.
func answer(userID, effect, resource string, context map[string]any) events.APIGatewayCustomAuthorizerResponse {
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: userID,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action:   []string{"execute-api:Invoke"},
				Effect:   effect,
				Resource: []string{resource},
			}},
		},
		Context: context,
	}
}
