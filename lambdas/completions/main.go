// Command completions is the function behind /openai/v1: the Chat Completions
// API of OpenAI.
package main

import (
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/completions"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/objects"
	"github.com/streaming-service/streaming-service/lambdas/internal/responsestreaming"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/admitting"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/lifecycle"
)

func main() {
	f := start.Load(environment.FunctionCompletions)
	responsestreaming.Start(logging.Edges(f.Log, newFunction(f).Serve))
}

func newFunction(f start.Function) *completions.Function {
	s, l := f.Settings, lifecycle.New(f)
	return &completions.Function{
		API:       &httpapi.API{ClientID: s.UserPoolClientID, AllowedOrigins: s.AllowedOrigins, AllowedCIDRs: s.AllowedCIDRs, Log: f.Log, Metrics: f.Metrics},
		Models:    s.AllowedModelIDs,
		Admission: admitting.New(f, l),
		Attempts: attempt.New(attempt.Deps{
			Store:   l.Store,
			Life:    l.Service,
			Model:   bedrock.New(l.AWS, bedrock.Options{GuardrailID: s.GuardrailID, GuardrailVersion: s.GuardrailVersion}),
			Uploads: objects.New(l.AWS, s.UploadsURL, time.Now),
			Hub:     l.Hub,
			Backoff: l.Backoff,
			Metrics: f.Metrics,
			Log:     f.Log,
		}, attempt.Options{Lease: s.Lease, FlushInterval: s.FlushInterval, LogTTL: s.AnswersKept()}),
		Store: l.Store,
		Life:  l.Service,
		Queue: l.Queue,
		Lease: s.Lease,
		Now:   time.Now,
		Log:   f.Log,
	}
}
