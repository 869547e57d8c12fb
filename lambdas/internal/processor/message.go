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
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
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
		return p.decline(ctx, m, refused)
	case errors.Is(err, life.ErrNotFound):
		return p.absent(m, log)
	case err != nil:
		return attempt.HandBack(attempt.RetryDelay, err)
	}
	return p.attempts.Run(ctx, record, attempt.Hold{Message: received{p.Queue, m.ReceiptHandle}, Hidden: hidden, Log: log})
}

// decline acts on a request that may not be claimed.
func (p *Processor) decline(ctx context.Context, m *events.SQSMessage, refused *life.ClaimRefused) attempt.Verdict {
	delay, err := p.Life.Decline(ctx, refused)
	switch {
	case err != nil:
		return attempt.HandBack(attempt.RetryDelay, err)
	case delay > 0:
		return p.wait(ctx, refused.Record.Key, m, delay, refused)
	}
	return attempt.Verdict{Done: true}
}

// absent judges a message whose request is not there: taken back, or expired.
func (p *Processor) absent(m *events.SQSMessage, log *slog.Logger) attempt.Verdict {
	if sent := queue.SentAt(*m); p.options.Now().Sub(sent) <= lostAfter {
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

// receives is how often a message was received; 1 if that is not known.
func receives(m *events.SQSMessage) int {
	n, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return 1
	}
	return n
}

// The queue allows a message ten receives at least. A request is attempted at
// most four times, so a message that comes more often waits for the attempt of
// another, or meets services that fail.
const (
	promptReceives = life.AttemptCap
	maxPatience    = 10 * time.Minute
)

// wait has the message of a request come back when the attempt of another may be
// over. A long answer would use up the receives of a message that waits for it,
// so a fresh one takes its place before. Lambda stops a chain of 16 messages that
// a function sends to itself: that is after 40 minutes of waiting, and no attempt
// takes more than 15.
func (p *Processor) wait(ctx context.Context, key life.Key, m *events.SQSMessage, delay time.Duration, why error) attempt.Verdict {
	if receives(m) <= promptReceives {
		return attempt.HandBack(delay, why)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := p.Queue.SendAfter(ctx, key, delay); err != nil {
		return attempt.HandBack(delay, errors.Join(why, err))
	}
	return attempt.Verdict{Done: true}
}

// patient is how long a message stays away that was received so often and would
// come back after delay: twice as long each time, so that its receives outlast an
// outage of a minute.
func patient(delay time.Duration, receives int) time.Duration {
	for ; receives > promptReceives && delay < maxPatience; receives-- {
		delay = min(2*delay, maxPatience)
	}
	return delay
}
