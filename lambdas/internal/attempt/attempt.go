package attempt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/jitter"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// Periods of an attempt. Those of its lease are fractions of the lease.
const (
	callTimeout    = 3 * time.Second  // of one call to the queue or the store
	finishTimeout  = 10 * time.Second // of the rest of the log, and again of the terminal write
	tellTimeout    = 20 * time.Second // of settling and telling the user
	maxReturnDelay = 5 * time.Second  // of a message whose attempt failed
	desertedAfter  = 30 * time.Second // without a live socket, if that ends a request

	// RetryDelay is how long a message stays away that met a failing service.
	RetryDelay = time.Second
)

// Causes for which an attempt stops before its model has.
var (
	errFenced    = errors.New("the attempt lost its request")
	errCancelled = errors.New("the user cancelled the request")
	errDeserted  = errors.New("nobody listens any more")

	// ErrClosing is the end of the function's time.
	ErrClosing = errors.New("the function reaches its deadline")
)

// Closing is how long is left until work must be ended or handed back.
func Closing(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Hour
	}
	return time.Until(deadline) - environment.ClosingTime
}

// attempt is one claimed attempt at a request.
type attempt struct {
	*Runner
	Hold
	record  life.Record
	log     *slog.Logger
	stream  *relay.Stream
	unknown atomic.Int64 // pieces of an answer that are of no known kind
}

// run streams the answer and ends the request, or gives it back.
func (a *attempt) run(ctx context.Context) Verdict {
	begun := a.options.Now()
	owned, lose := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		a.keep(owned, lose)
	}()
	defer func() {
		lose(nil)
		<-kept
	}()

	asking, stop := context.WithCancelCause(owned)
	defer stop(nil)
	timer := time.AfterFunc(Closing(ctx), func() { stop(ErrClosing) })
	defer timer.Stop()

	a.stream = a.Hub.Open(owned, relay.Options{
		Record: a.record, Log: a.putChunk, Interval: a.options.FlushInterval, Backoff: a.Backoff,
	})
	defer a.stream.Leave()
	defer a.watcher.watch(a.record, func(r life.Record) { a.observe(r, lose, stop) })()

	answer, err := a.ask(asking)
	outcome, v := a.conclude(owned, answer, err)
	a.count(outcome, begun)
	return v
}

// count writes what the attempt was worth.
func (a *attempt) count(outcome string, begun time.Time) {
	values := []metrics.Value{metrics.Duration(metrics.StreamDuration, a.options.Now().Sub(begun))}
	if first := a.stream.Begun(); !first.IsZero() {
		values = append(values, metrics.Duration(metrics.TimeToFirstDelta, first.Sub(begun)))
	}
	a.Metrics.RecordBy(outcome, values...)
	if n := a.unknown.Load(); n > 0 {
		a.Metrics.Record(metrics.Count(metrics.UnknownDeltas, n))
	}
}

func (a *attempt) putChunk(ctx context.Context, chunk life.Chunk) error {
	return a.Store.PutChunk(ctx, a.record.RequestID, a.record.Owner, chunk, a.options.Now().Add(a.options.LogTTL))
}

// observe acts on the record as the store has it now. The read may be stale, so
// only what cannot be undone counts.
func (a *attempt) observe(now life.Record, lose, stop context.CancelCauseFunc) {
	mine := now.Attempt == a.record.Attempt && now.Owner == a.record.Owner
	switch {
	case now.Attempt > a.record.Attempt, now.Status.Terminal() && !mine:
		lose(errFenced)
	case mine && now.Cancel:
		stop(errCancelled)
	case a.options.CancelOnDisconnect && a.stream.Deserted(desertedAfter):
		stop(errDeserted)
	}
}

// returnDelay is how long the message of a failed attempt stays away: about a
// second after the first attempt, twice as long after each further one.
func (a *attempt) returnDelay() time.Duration {
	return jitter.Half(min(time.Second<<(a.record.Attempt-1), maxReturnDelay))
}

// handOver gives the request back to the queue, to be claimed at once.
func (a *attempt) handOver(ctx context.Context, delay time.Duration, why error) Verdict {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := a.Store.Release(ctx, a.record.Fence(), a.options.Now()); err != nil {
		why = fmt.Errorf("%w; %w", why, err)
	}
	return HandBack(delay, why)
}
