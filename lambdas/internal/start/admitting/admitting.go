// Package admitting wires admission, for the functions that admit requests.
package admitting

import (
	"time"
	_ "time/tzdata" // months begin in a time zone, and the runtime has none

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/objects"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/lifecycle"
)

// New wires admission from the settings of a function.
func New(f start.Function, l lifecycle.Lifecycle) *admission.Service {
	s := f.Settings
	return &admission.Service{
		Store:    l.Store,
		Queue:    l.Queue,
		Life:     l.Service,
		Tiers:    s.Tiers,
		Prices:   s.Prices,
		Uploads:  objects.New(l.AWS, s.UploadsURL, time.Now),
		Breaker:  admission.NewBreaker(s.ServiceBudget, time.Now),
		Calendar: s.Calendar,
		Rate:     life.NewRate(s.UserRateLimit, s.UserBurstLimit),
		Cap:      s.UserConcurrency,
		Model: admission.Model{
			ID: s.ModelID, Allowed: s.AllowedModelIDs, MaxTokens: s.MaxTokens,
			Temperature: s.Temperature, TopP: s.TopP, System: s.SystemPrompt, AllowSystem: s.AllowSystem,
		},
		InputTTL: s.AnswersKept(),
		Now:      time.Now,
		Log:      f.Log,
		Metrics:  f.Metrics,
	}
}
