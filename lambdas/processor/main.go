// Command processor is the function that runs the requests of the queue.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/objects"
	"github.com/streaming-service/streaming-service/lambdas/internal/processor"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/lifecycle"
)

func main() {
	f := start.Load(environment.FunctionProcessor)
	lambda.Start(logging.Edges(f.Log, newProcessor(f).Handle))
}

func newProcessor(f start.Function) *processor.Processor {
	s, l := f.Settings, lifecycle.New(f)
	return processor.New(processor.Deps{
		Store:   l.Store,
		Life:    l.Service,
		Queue:   l.Queue,
		Model:   bedrock.New(l.AWS, bedrock.Options{GuardrailID: s.GuardrailID, GuardrailVersion: s.GuardrailVersion}),
		Uploads: objects.New(l.AWS, s.UploadsURL, time.Now),
		Hub:     l.Hub,
		Backoff: l.Backoff,
		Metrics: f.Metrics,
		Log:     f.Log,
	}, processor.Options{MaxAge: s.MaxAge, Options: attempt.Options{
		Lease:              s.Lease,
		FlushInterval:      s.FlushInterval,
		CancelOnDisconnect: s.OnDisconnect == config.OnDisconnectCancel,
		LogTTL:             s.AnswersKept(),
	}})
}
