// Command authorizer is the function that decides who may open a WebSocket
// connection, and who may call the paths of the REST API that take personal keys.
package main

import (
	"log/slog"
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
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

// userPoolTries bounds the calls of the user pool for one decision. Where it is
// throttled there is the memory, and the client waits.
const userPoolTries = 2

func main() {
	settings, err := config.Load(os.Getenv, environment.Of(environment.FunctionAuthorizer)...)
	log := logging.New(os.Stdout, settings.LogLevel)
	if err != nil {
		log.Error("cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	issuer, keysURL := token.Pool(os.Getenv, settings.UserPoolID)
	handler := &authorizer.Authorizer{
		Verifier: token.New(token.Config{Issuer: issuer, ClientID: settings.UserPoolClientID, KeysURL: keysURL}),
		Origins:  settings.AllowedOrigins,
		Networks: settings.AllowedCIDRs,
		Log:      log,
		Metrics:  metrics.New(os.Stdout, settings.MetricsNamespace, settings.ServiceName),
	}
	if settings.PersonalKeys {
		handler.Keys = personalKeys(settings)
	}
	lambda.Start(logging.Edges(log, handler.Handle))
}

func personalKeys(s config.Settings) *authorizer.PersonalKeys {
	cfg := awsconfig.Load(os.Getenv)
	store := dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Tables{Quota: s.QuotaTable})
	cfg.RetryMaxAttempts = userPoolTries
	return &authorizer.PersonalKeys{Store: store, Users: directory.New(cfg, s.UserPoolID), Now: time.Now}
}
