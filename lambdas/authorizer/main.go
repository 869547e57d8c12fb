// Command authorizer is the function that decides who may open a WebSocket
// connection, and who may call the paths of the REST API that take personal keys.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/authorizer"
	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/directory"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

// userPoolTries bounds the calls of the user pool for one decision. Where it is
// throttled there is the memory, and the client waits.
const userPoolTries = 2

func main() {
	f := start.Load(environment.FunctionAuthorizer)
	lambda.Start(logging.Edges(f.Log, newAuthorizer(f).Handle))
}

func newAuthorizer(f start.Function) *authorizer.Authorizer {
	s := f.Settings
	issuer, keysURL := token.Pool(os.Getenv, s.UserPoolID)
	a := &authorizer.Authorizer{
		Verifier: token.New(token.Config{Issuer: issuer, ClientID: s.UserPoolClientID, KeysURL: keysURL}),
		Origins:  s.AllowedOrigins,
		Networks: s.AllowedCIDRs,
		Log:      f.Log,
		Metrics:  f.Metrics,
	}
	if s.PersonalKeys {
		a.Keys = personalKeys(s)
	}
	return a
}

func personalKeys(s config.Settings) *authorizer.PersonalKeys {
	cfg := awsconfig.Load(os.Getenv)
	store := dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Tables{Quota: s.QuotaTable})
	cfg.RetryMaxAttempts = userPoolTries
	return &authorizer.PersonalKeys{Store: store, Users: directory.New(cfg, s.UserPoolID), Now: time.Now}
}
