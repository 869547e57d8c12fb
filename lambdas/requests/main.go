// Command requests is the function behind GET and DELETE /requests/{requestId}
// and behind GET /openapi.json. It also answers OPTIONS, and what no resource or
// method matches.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/requests"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

func main() {
	settings, err := config.Load(os.Getenv, environment.Of(environment.FunctionRequests)...)
	if err != nil {
		logging.New(os.Stdout, slog.LevelInfo).Error("cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	api := newAPI(settings)
	lambda.Start(logging.Edges(api.Log, api.Serve))
}

func newAPI(s config.Settings) *httpapi.API {
	cfg := awsconfig.Load(os.Getenv)
	log := logging.New(os.Stdout, s.LogLevel)
	meter := metrics.New(os.Stdout, s.MetricsNamespace, s.ServiceName)
	store := dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Tables{Quota: s.QuotaTable, Requests: s.RequestsTable, Connections: s.ConnectionsTable})

	service := &requests.Service{
		Store: store,
		Life: &life.Service{
			Store:  store,
			Queue:  queue.New(sqs.NewFromConfig(cfg), s.QueueURL),
			Poster: sockets.NewBroadcaster(sockets.New(cfg, s.WebSocketAPIEndpoint, store, nil), store),
			Meter:  meter,
			Now:    time.Now,
			MaxAge: s.MaxAge,
		},
		Log: log,
	}
	return &httpapi.API{
		ClientID:       s.UserPoolClientID,
		AllowedOrigins: s.AllowedOrigins,
		AllowedCIDRs:   s.AllowedCIDRs,
		Log:            log,
		Metrics:        meter,
		Open: map[httpapi.Route]httpapi.Handler{
			{Method: http.MethodGet, Resource: httpapi.ResourceDocument}: requests.Document,
		},
		Routes: map[httpapi.Route]httpapi.Handler{
			{Method: http.MethodGet, Resource: httpapi.ResourceRequest}:    service.Get,
			{Method: http.MethodDelete, Resource: httpapi.ResourceRequest}: service.Delete,
		},
	}
}
