// Command quota is the function behind POST /requests, GET /usage and /keys.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"
	_ "time/tzdata" // the runtime has none

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/keys"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

func main() {
	settings, err := config.Load(os.Getenv, environment.Of(environment.FunctionQuota)...)
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
	messages := queue.New(sqs.NewFromConfig(cfg), s.QueueURL)
	poster := sockets.NewBroadcaster(sockets.New(cfg, s.WebSocketAPIEndpoint, store, nil), store)

	service := &admission.Service{
		Store:    store,
		Queue:    messages,
		Healer:   &life.Service{Store: store, Queue: messages, Poster: poster, Meter: meter, Now: time.Now, MaxAge: s.MaxAge},
		Tiers:    s.Tiers,
		Prices:   s.Prices,
		Breaker:  admission.NewBreaker(s.ServiceBudget, time.Now),
		Calendar: s.Calendar,
		Rate:     life.NewRate(s.UserRateLimit, s.UserBurstLimit),
		Cap:      s.UserConcurrency,
		Model: admission.Model{
			ID: s.ModelID, Allowed: s.AllowedModelIDs, MaxTokens: s.MaxTokens,
			Temperature: s.Temperature, TopP: s.TopP, System: s.SystemPrompt, AllowSystem: s.AllowSystem,
		},
		InputTTL: s.MaxAge + s.DeadLetterRetention + s.ReplayTTL,
		Now:      time.Now,
		Log:      log,
		Metrics:  meter,
	}
	personalKeys := &keys.Service{Store: store, Now: time.Now, Log: log}
	return &httpapi.API{
		ClientID:       s.UserPoolClientID,
		AllowedOrigins: s.AllowedOrigins,
		AllowedCIDRs:   s.AllowedCIDRs,
		Log:            log,
		Metrics:        meter,
		Routes: map[httpapi.Route]httpapi.Handler{
			{Method: http.MethodPost, Resource: httpapi.ResourceRequests}: service.Submit,
			{Method: http.MethodGet, Resource: httpapi.ResourceUsage}:     service.Usage,
			{Method: http.MethodPost, Resource: httpapi.ResourceKeys}:     personalKeys.Create,
			{Method: http.MethodGet, Resource: httpapi.ResourceKeys}:      personalKeys.List,
			{Method: http.MethodDelete, Resource: httpapi.ResourceKey}:    personalKeys.Delete,
		},
	}
}
