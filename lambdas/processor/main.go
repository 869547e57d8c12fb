// Command processor is the function that runs the requests of the queue.
package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/processor"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

func main() {
	settings, err := config.Load(os.Getenv, append(environment.Of(environment.FunctionProcessor), environment.LeaseSeconds)...)
	log := logging.New(os.Stdout, settings.LogLevel)
	if err != nil {
		log.Error("cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	lambda.Start(logging.Edges(log, wire(settings, log).Handle))
}

func wire(settings config.Settings, log *slog.Logger) *processor.Processor {
	cfg := awsconfig.Load(os.Getenv)
	store := dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Tables{
		Quota: settings.QuotaTable, Requests: settings.RequestsTable, Connections: settings.ConnectionsTable,
	})
	messages := queue.New(sqs.NewFromConfig(cfg), settings.QueueURL)
	recorder := metrics.New(os.Stdout, settings.MetricsNamespace, settings.ServiceName)
	pace := &sockets.Pace{}
	hub := sockets.NewBroadcaster(sockets.New(cfg, settings.WebSocketAPIEndpoint, store, pace), store)
	return processor.New(processor.Deps{
		Store:   store,
		Lives:   &life.Service{Store: store, Poster: hub, Meter: recorder, Now: time.Now, MaxAge: settings.MaxAge},
		Queue:   messages,
		Model:   bedrock.New(cfg, bedrock.Options{GuardrailID: settings.GuardrailID, GuardrailVersion: settings.GuardrailVersion}),
		Hub:     hub,
		Pace:    pace,
		Metrics: recorder,
		Log:     log,
	}, processor.Options{
		Lease:              settings.Lease,
		MaxAge:             settings.MaxAge,
		FlushInterval:      settings.FlushInterval,
		CancelOnDisconnect: settings.OnDisconnect == config.OnDisconnectCancel,
		LogTTL:             settings.MaxAge + settings.DeadLetterRetention + settings.ReplayTTL,
	})
}
