package authorizer

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/caller"
	"github.com/streaming-service/streaming-service/lambdas/internal/handshake"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

// keyPaths are the paths of the REST API that take personal keys.
const keyPaths = "openai/v1/*"

// call decides on a call of the REST API, by an ID token or a personal key. The
// Origin is no matter here: browsers read the answer only if the function
// allows it.
func (a *Authorizer) call(ctx context.Context, headers handshake.Headers, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	resource, err := resourceOf(e.MethodArn)
	if err != nil {
		return a.refuse(ctx, "call", err)
	}
	who, err := a.identify(ctx, headers.Authorization())
	if err != nil {
		return a.refuse(ctx, "call", err)
	}
	effect := effectAllow
	if !a.Networks.Allow(e.RequestContext.Identity.SourceIP) {
		a.Log.WarnContext(ctx, "call denied", "reason", "network")
		effect = effectDeny
	}
	return answer(who.UserID, effect, resource, who.Context()), nil
}

// identify returns who presents a credential. What looks like a key is never
// taken for a token.
func (a *Authorizer) identify(ctx context.Context, credential string) (caller.Caller, error) {
	if life.IsSecret(credential) {
		return a.Keys.verify(ctx, credential)
	}
	identity, err := a.verifyToken(ctx, credential)
	return caller.Caller{UserID: identity.UserID, Groups: identity.Groups}, err
}

// resourceOf names the paths that take keys, in the API and the stage of the
// method that was called: arn:…:{apiId}/{stage}/{method}/{path}.
func resourceOf(methodARN string) (string, error) {
	parts := strings.SplitN(methodARN, "/", 3)
	if len(parts) < 3 {
		return "", fmt.Errorf("%q is not the ARN of a method", methodARN)
	}
	return parts[0] + "/" + parts[1] + "/*/" + keyPaths, nil
}

func invalid(why string) error { return fmt.Errorf("%w: %s", token.ErrInvalid, why) }
