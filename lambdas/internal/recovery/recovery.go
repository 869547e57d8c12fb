// Package recovery ends, refunds and tells what the dead-letter queue brings,
// and sweeps for requests that nobody moves any more.
package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/protocol"
)

// Store is what the recovery reads, and where the sweep keeps its place.
type Store interface {
	Record(ctx context.Context, key life.Key) (life.Record, error)
	Account(ctx context.Context, userID string) (life.Account, error)
	OpenShards() int
	OpenAccounts(ctx context.Context, shard int, before time.Time, after life.OpenMark) (marks []life.OpenMark, more bool, err error)
	CountOpenAccounts(ctx context.Context, shard int, before time.Time, after life.OpenMark) (int, error)
	LeaveOpen(ctx context.Context, userID string) error
	Progress(ctx context.Context) (map[int]life.OpenMark, error)
	SaveProgress(ctx context.Context, stopped map[int]life.OpenMark) error
}

// Life takes requests to their end.
type Life interface {
	Conclude(ctx context.Context, record life.Record) error
	End(ctx context.Context, record life.Record, code protocol.Code) (life.Record, error)
	Heal(ctx context.Context, record life.Record) (bool, error)
}

// Hider hides a message that cannot be finished yet.
type Hider interface {
	ChangeVisibility(ctx context.Context, receipt string, d time.Duration) error
}

// Service recovers requests.
type Service struct {
	Store       Store
	Life        Life
	DeadLetters Hider
	Now         life.Now
	Log         *slog.Logger
	Metrics     *metrics.Recorder
}

// absentAfter is how old a message without a record must be to be dropped: a
// record is written before its message, but is perhaps not yet readable.
const absentAfter = 5 * time.Minute

// Handle answers both triggers of the function, told apart by their shape: a
// batch of the dead-letter queue has records, the schedule asks for a sweep.
func (s *Service) Handle(ctx context.Context, event json.RawMessage) (any, error) {
	var shape struct {
		Sweep   bool                `json:"sweep"`
		Records []events.SQSMessage `json:"Records"`
	}
	if err := json.Unmarshal(event, &shape); err != nil {
		return nil, fmt.Errorf("reading event: %w", err)
	}
	switch {
	case len(shape.Records) > 0:
		return s.batch(ctx, shape.Records), nil
	case shape.Sweep:
		return s.Sweep(ctx)
	}
	return nil, errors.New("reading event: neither a batch nor a sweep")
}

// batch works all messages at once. Each succeeds or fails alone.
func (s *Service) batch(ctx context.Context, messages []events.SQSMessage) events.SQSEventResponse {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, m := range messages {
		wg.Go(func() {
			if err := s.message(ctx, m); err != nil {
				s.Log.WarnContext(ctx, "dead letter stays", "message", m.MessageId, "error", err)
				mu.Lock()
				defer mu.Unlock()
				response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		})
	}
	wg.Wait()
	return response
}

// message recovers one request; nil acknowledges its message.
func (s *Service) message(ctx context.Context, m events.SQSMessage) error {
	key, err := queue.Decode(m.Body)
	if err != nil {
		s.Log.ErrorContext(ctx, "dropping message", "message", m.MessageId, "error", err)
		s.Metrics.Record(metrics.Count(metrics.Unreadable, 1))
		return nil
	}
	record, err := s.Store.Record(ctx, key)
	switch {
	case errors.Is(err, life.ErrNotFound) && s.Now().Sub(queue.SentAt(m)) > absentAfter:
		s.Log.WarnContext(ctx, "dropping message without a request", "message", m.MessageId, "request", key.RequestID)
		return nil
	case err != nil:
		return err
	case record.Status.Terminal():
		return s.Life.Conclude(ctx, record)
	}
	return s.end(ctx, m, record)
}

// end ends a request that the queue gave up. While an attempt still runs the
// message is hidden until its lease is over.
func (s *Service) end(ctx context.Context, m events.SQSMessage, record life.Record) error {
	code := protocol.CodeDeadLettered
	if record.Cancel {
		code = protocol.CodeCancelled
	}
	ended, err := s.Life.End(ctx, record, code)
	if errors.Is(err, life.ErrLive) {
		left := max(0, ended.LeaseUntil.Sub(s.Now())) + life.Skew
		return errors.Join(err, s.DeadLetters.ChangeVisibility(ctx, m.ReceiptHandle, left))
	}
	if err == nil {
		s.Metrics.Record(metrics.Count(metrics.DeadLettered, 1))
	}
	return err
}
