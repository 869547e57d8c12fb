// Command recovery is the function that works off the dead-letter queue and, on
// a schedule, looks for requests that nobody moves any more.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/recovery"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/lifecycle"
)

func main() {
	f := start.Load(environment.FunctionRecovery)
	l := lifecycle.New(f)
	service := &recovery.Service{
		Store:       l.Store,
		Life:        l.Service,
		DeadLetters: l.QueueAt(f.Settings.DeadLetterQueueURL),
		Now:         time.Now,
		Log:         f.Log,
		Metrics:     f.Metrics,
	}
	lambda.Start(logging.Edges(f.Log, service.Handle))
}
