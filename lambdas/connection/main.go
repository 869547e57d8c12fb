// Command connection is the function behind the routes of the WebSocket API.
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
	"github.com/streaming-service/streaming-service/lambdas/internal/connection"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

func main() {
	settings, err := config.Load(os.Getenv, environment.Of(environment.FunctionConnection)...)
	log := logging.New(os.Stdout, settings.LogLevel)
	if err != nil {
		log.Error("cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	cfg := awsconfig.Load(os.Getenv)
	store := dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Tables{
		Quota: settings.QuotaTable, Requests: settings.RequestsTable, Connections: settings.ConnectionsTable,
	})
	posts := sockets.New(cfg, settings.WebSocketAPIEndpoint, store, nil)
	handler := &connection.Handler{
		Store: store,
		Lives: &life.Service{
			Store:  store,
			Queue:  queue.New(sqs.NewFromConfig(cfg), settings.QueueURL),
			Poster: sockets.NewBroadcaster(posts, store),
			Meter:  metrics.New(os.Stdout, settings.MetricsNamespace, settings.ServiceName),
			Now:    time.Now,
			MaxAge: settings.MaxAge,
		},
		Sockets:        posts,
		Log:            log,
		MaxConnections: settings.UserConnections,
	}
	lambda.Start(logging.Edges(log, handler.Handle))
}
