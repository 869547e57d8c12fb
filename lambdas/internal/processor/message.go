package processor

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// What happens to messages whose request is not there.
const (
	lostAfter = 5 * time.Minute // dropped when they are so old
	lostDelay = time.Minute     // until then
)

// run takes the request of a message as far as this invocation can.
func (p *Processor) run(ctx context.Context, key life.Key, m *events.SQSMessage, hidden bool, log *slog.Logger) attempt.Verdict {
	if attempt.Closing(ctx) <= 0 {
		return attempt.HandBack(0, attempt.ErrClosing)
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
		return attempt.HandBack(attempt.RetryDelay, err)
	}
	return p.attempts.Run(ctx, record, attempt.Hold{Message: received{p.Queue, m.ReceiptHandle}, Hidden: hidden, Log: log})
}

// decline acts on a request that may not be claimed.
func (p *Processor) decline(ctx context.Context, refused *life.ClaimRefused) attempt.Verdict {
	delay, err := p.Lives.Decline(ctx, refused)
	switch {
	case err != nil:
		return attempt.HandBack(attempt.RetryDelay, err)
	case delay > 0:
		return attempt.HandBack(delay, refused)
	}
	return attempt.Verdict{Done: true}
}

// absent judges a message whose request is not there: taken back, or expired.
func (p *Processor) absent(m *events.SQSMessage, log *slog.Logger) attempt.Verdict {
	if sent := sentAt(m); p.options.Now().Sub(sent) <= lostAfter {
		return attempt.HandBack(lostDelay, life.ErrNotFound)
	}
	log.Warn("dropped the message of a request that does not exist")
	return attempt.Verdict{Done: true}
}

// received is a message of the queue, by its receipt.
type received struct {
	queue   Queue
	receipt string
}

// Hide implements attempt.Message.
func (r received) Hide(ctx context.Context, timeout time.Duration) error {
	return r.queue.ChangeVisibility(ctx, r.receipt, timeout)
}

// sentAt is when a message was sent; zero if that is not known.
func sentAt(m *events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
