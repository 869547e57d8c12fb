package processor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// Periods of an attempt. Those of its lease are fractions of the lease.
const (
	callTimeout    = 3 * time.Second  // of one call to the queue
	finishTimeout  = 10 * time.Second // of the rest of the log, and again of the terminal write
	tellTimeout    = 20 * time.Second // of settling and telling the user
	closingTime    = 5 * time.Second  // left before the function's deadline to hand work back
	lostAfter      = 5 * time.Minute  // a message without a record is dropped when it is so old
	lostDelay      = time.Minute      // until then
	retryDelay     = time.Second      // of a message that met a failing service
	maxReturnDelay = 5 * time.Second  // of a message whose attempt failed
	desertedAfter  = 30 * time.Second // without a live socket, if that ends a request
)

// Causes for which an attempt stops before its model has.
var (
	errFenced    = errors.New("the attempt lost its request")
	errCancelled = errors.New("the user cancelled the request")
	errDeserted  = errors.New("nobody listens any more")
	errClosing   = errors.New("the function reaches its deadline")
)

// run takes the request of a message as far as this invocation can.
func (p *Processor) run(ctx context.Context, key life.Key, m *events.SQSMessage, hidden bool, log *slog.Logger) verdict {
	if closing(ctx) <= 0 {
		return handBack(0, errClosing)
	}
	record, err := p.Store.Claim(ctx, key, life.Claim{
		Owner: life.NewOwner(), Now: p.options.Now(), Lease: p.options.Lease, MaxAge: p.options.MaxAge,
	})
	var refused *life.ClaimRefused
	switch {
	case errors.As(err, &refused):
		return p.decline(ctx, refused)
	case errors.Is(err, life.ErrNotFound):
		return p.absent(m, log)
	case err != nil:
		return handBack(retryDelay, err)
	}
	a := &attempt{Processor: p, record: record, receipt: m.ReceiptHandle, hidden: hidden, log: log.With("attempt", record.Attempt)}
	return a.run(ctx)
}

// decline acts on a request that may not be claimed.
func (p *Processor) decline(ctx context.Context, refused *life.ClaimRefused) verdict {
	delay, err := p.Lives.Decline(ctx, refused)
	switch {
	case err != nil:
		return handBack(retryDelay, err)
	case delay > 0:
		return handBack(delay, refused)
	}
	return verdict{done: true}
}

// absent judges a message whose request is not there: taken back, or expired.
func (p *Processor) absent(m *events.SQSMessage, log *slog.Logger) verdict {
	if sent := sentAt(m); p.options.Now().Sub(sent) <= lostAfter {
		return handBack(lostDelay, life.ErrNotFound)
	}
	log.Warn("dropped the message of a request that does not exist")
	return verdict{done: true}
}

// closing is how long is left until work must be handed back.
func closing(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Hour
	}
	return time.Until(deadline) - closingTime
}

// attempt is one claimed attempt at a request.
type attempt struct {
	*Processor
	record  life.Record
	receipt string
	hidden  bool // whether the message was hidden before the claim
	log     *slog.Logger
	stream  *relay.Stream
}

// run streams the answer and ends the request, or gives it back.
func (a *attempt) run(ctx context.Context) verdict {
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
	timer := time.AfterFunc(closing(ctx), func() { stop(errClosing) })
	defer timer.Stop()

	a.stream = a.Hub.Open(owned, relay.Options{
		Record: a.record, Log: a.putChunk, Interval: a.options.FlushInterval, Pace: a.Pace,
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
	return jitter(min(time.Second<<(a.record.Attempt-1), maxReturnDelay))
}

// jitter spreads what waits for d over its second half.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2) } //nolint:gosec // spreads load, guards nothing

// handOver gives the request back to the queue, to be claimed at once.
func (a *attempt) handOver(ctx context.Context, delay time.Duration, why error) verdict {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := a.Store.Release(ctx, a.record.Fence(), a.options.Now()); err != nil {
		why = fmt.Errorf("%w; %w", why, err)
	}
	return handBack(delay, why)
}
