// Package processor runs the requests that the queue brings: it claims each as
// an attempt, streams the model's answer to the user, and ends it.
package processor

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// Store is what the processor needs of the records. Its methods are those of
// dynamo.Store.
type Store interface {
	attempt.Store
	Claim(ctx context.Context, key life.Key, claim life.Claim) (life.Record, error)
}

// Life ends what an attempt does not own. Its methods are those of
// life.Service.
type Life interface {
	attempt.Life
	Decline(ctx context.Context, refused *life.ClaimRefused) (time.Duration, error)
}

// callTimeout bounds one call to the queue.
const callTimeout = 3 * time.Second

// Queue is what the processor does to the messages that it is given. Its methods
// are those of queue.Queue.
type Queue interface {
	SendAfter(ctx context.Context, key life.Key, delay time.Duration) error
	Delete(ctx context.Context, receiptHandle string) error
	ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error
}

// Deps are the things that a Processor works with.
type Deps struct {
	Store   Store
	Life    Life
	Queue   Queue
	Model   attempt.Model
	Uploads attempt.Uploads // nil: no input refers to any
	Hub     *relay.Hub
	Backoff attempt.Backoff
	Metrics *metrics.Recorder // nil: none are written
	Log     *slog.Logger
}

// Options tune a Processor.
type Options struct {
	attempt.Options
	MaxAge time.Duration // older requests are refunded, not run; 0: none
}

// Processor handles batches of messages.
type Processor struct {
	Deps
	options  Options
	attempts *attempt.Runner
}

// New returns a Processor.
func New(d Deps, o Options) *Processor {
	if o.Lease <= 0 {
		o.Lease = life.DefaultLease
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Processor{Deps: d, options: o, attempts: attempt.New(attempt.Deps{
		Store: d.Store, Life: d.Life, Model: d.Model, Uploads: d.Uploads, Hub: d.Hub, Backoff: d.Backoff, Metrics: d.Metrics, Log: d.Log,
	}, o.Options)}
}

// Handle works all messages of a batch at once. Each succeeds or fails alone;
// those that failed come back. Those that are done are deleted when the batch
// ends, or before that if others still run: until then they would come back
// again and again.
func (p *Processor) Handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	failed := make([]bool, len(e.Records))
	var batch sync.WaitGroup
	var working atomic.Int64
	working.Store(int64(len(e.Records)))
	for i := range e.Records {
		batch.Go(func() {
			done := p.contained(ctx, &e.Records[i])
			failed[i] = !done
			if others := working.Add(-1) > 0; done && others {
				p.delete(ctx, &e.Records[i])
			}
		})
	}
	batch.Wait()
	p.attempts.CountPosts()
	var response events.SQSEventResponse
	for i, record := range e.Records {
		if failed[i] {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	return response, nil
}

// contained keeps a panic of one message from the others.
func (p *Processor) contained(ctx context.Context, m *events.SQSMessage) (done bool) {
	defer func() {
		if r := recover(); r != nil {
			p.Log.ErrorContext(ctx, "panic while processing a message", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			done = false
		}
	}()
	return p.process(ctx, m)
}

// process reports whether the message may be deleted: the request has ended, is
// settled, and its user has been told, or a fresh message has taken its place.
func (p *Processor) process(ctx context.Context, m *events.SQSMessage) bool {
	key, err := queue.Decode(m.Body)
	if err != nil {
		p.Log.ErrorContext(ctx, "unreadable message", "messageId", m.MessageId, "error", err)
		p.Metrics.Record(metrics.Count(metrics.Unreadable, 1))
		return true
	}
	log := p.Log.With("requestId", key.RequestID)
	if trace := m.Attributes["AWSTraceHeader"]; trace != "" {
		log = log.With("trace", trace) // of the admission; Lambda's own trace only links to it
	}
	// An attempt that is killed must leave behind a message that comes back
	// soon, so its time is set before the claim.
	hidden := p.hide(ctx, m.ReceiptHandle, attempt.HideFor(p.options.Lease), log)
	v := p.run(ctx, key, m, hidden, log)
	if v.Err != nil {
		log.InfoContext(ctx, "message handed back", "error", v.Err, "delay", v.Delay.String())
	}
	if !v.Done {
		p.hide(ctx, m.ReceiptHandle, patient(v.Delay, receives(m)), log)
	}
	return v.Done
}

// delete deletes a message that is done. One that cannot be deleted comes back,
// and with it the end of its request, until the batch is over.
func (p *Processor) delete(ctx context.Context, m *events.SQSMessage) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := p.Queue.Delete(ctx, m.ReceiptHandle); err != nil {
		p.Log.WarnContext(ctx, "cannot delete a message", "messageId", m.MessageId, "error", err)
	}
}

// hide sets when the message comes back. It reports whether it could.
func (p *Processor) hide(ctx context.Context, receipt string, delay time.Duration, log *slog.Logger) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	err := p.Queue.ChangeVisibility(ctx, receipt, delay)
	if err != nil {
		log.WarnContext(ctx, "cannot change the visibility of a message", "error", err)
	}
	return err == nil
}
