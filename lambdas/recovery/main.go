// Command recovery is the function that works off the dead-letter queue and, on
// a schedule, looks for requests that nobody moves any more.
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
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/recovery"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

func main() {
	settings, err := config.Load(os.Getenv, environment.Of(environment.FunctionRecovery)...)
	if err != nil {
		logging.New(os.Stdout, slog.LevelInfo).Error("cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	service := newService(settings)
	lambda.Start(logging.Edges(service.Log, service.Handle))
}

func newService(s config.Settings) *recovery.Service {
	cfg := awsconfig.Load(os.Getenv)
	meter := metrics.New(os.Stdout, s.MetricsNamespace, s.ServiceName)
	store := dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Tables{Quota: s.QuotaTable, Requests: s.RequestsTable, Connections: s.ConnectionsTable})
	client := sqs.NewFromConfig(cfg)
	return &recovery.Service{
		Store: store,
		Life: &life.Service{
			Store:  store,
			Queue:  queue.New(client, s.QueueURL),
			Poster: sockets.NewBroadcaster(sockets.New(cfg, s.WebSocketAPIEndpoint, store, nil), store),
			Meter:  meter,
			Now:    time.Now,
			MaxAge: s.MaxAge,
		},
		DeadLetters: queue.New(client, s.DeadLetterQueueURL),
		Now:         time.Now,
		Log:         logging.New(os.Stdout, s.LogLevel),
		Metrics:     meter,
	}
}
