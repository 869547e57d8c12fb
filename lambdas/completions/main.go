// Command completions is the function behind /openai/v1: the Chat Completions
// API of OpenAI.
package main

import (
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // the runtime has none

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/completions"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/responsestreaming"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

func main() {
	settings, err := config.Load(os.Getenv, append(environment.Of(environment.FunctionCompletions), environment.LeaseSeconds)...)
	log := logging.New(os.Stdout, settings.LogLevel)
	if err != nil {
		log.Error("cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	responsestreaming.Start(logging.Edges(log, wire(settings, log).Serve))
}

func wire(s config.Settings, log *slog.Logger) *completions.Function {
	cfg := awsconfig.Load(os.Getenv)
	meter := metrics.New(os.Stdout, s.MetricsNamespace, s.ServiceName)
	store := dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Tables{Quota: s.QuotaTable, Requests: s.RequestsTable, Connections: s.ConnectionsTable})
	messages := queue.New(sqs.NewFromConfig(cfg), s.QueueURL)
	pace := &sockets.Pace{}
	hub := sockets.NewBroadcaster(sockets.New(cfg, s.WebSocketAPIEndpoint, store, pace), store)
	lives := &life.Service{Store: store, Queue: messages, Poster: hub, Meter: meter, Now: time.Now, MaxAge: s.MaxAge}
	answersKept := s.MaxAge + s.DeadLetterRetention + s.ReplayTTL

	return &completions.Function{
		API:    &httpapi.API{ClientID: s.UserPoolClientID, AllowedOrigins: s.AllowedOrigins, AllowedCIDRs: s.AllowedCIDRs, Log: log, Metrics: meter},
		Models: s.AllowedModelIDs,
		Admission: &admission.Service{
			Store:    store,
			Queue:    messages,
			Healer:   lives,
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
			InputTTL: answersKept,
			Now:      time.Now,
			Log:      log,
			Metrics:  meter,
		},
		Attempts: attempt.New(attempt.Deps{
			Store:   store,
			Lives:   lives,
			Model:   bedrock.New(cfg, bedrock.Options{GuardrailID: s.GuardrailID, GuardrailVersion: s.GuardrailVersion}),
			Hub:     hub,
			Pace:    pace,
			Metrics: meter,
			Log:     log,
		}, attempt.Options{Lease: s.Lease, FlushInterval: s.FlushInterval, LogTTL: answersKept}),
		Store:  store,
		Healer: lives,
		Queue:  messages,
		Lease:  s.Lease,
		Now:    time.Now,
		Log:    log,
	}
}
