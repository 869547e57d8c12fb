// Command authorizer is the function that decides who may open a WebSocket
// connection.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/authorizer"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

func main() {
	settings, err := config.Load(os.Getenv,
		environment.UserPoolID, environment.UserPoolClientID,
		environment.AllowedOrigins, environment.AllowedCIDRs,
		environment.LogLevel, environment.MetricsNamespace, environment.ServiceName)
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
	lambda.Start(logging.Edges(log, handler.Handle))
}
