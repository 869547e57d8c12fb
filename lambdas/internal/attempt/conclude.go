package attempt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// Outcomes of an attempt.
const (
	outcomeSucceeded  = "succeeded"
	outcomeDeadline   = "deadline"
	outcomeFailed     = "failed"
	outcomeCancelled  = "cancelled"
	outcomeFenced     = "fenced"
	outcomeHandedBack = "handed_back"
)

// conclude ends the request as the answer, or the lack of one, asks for.
func (a *attempt) conclude(ctx context.Context, answer model.Answer, err error) (string, Verdict) {
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), errFenced) {
		return outcomeFenced, HandBack(a.returnDelay(), errFenced)
	}
	switch {
	case err == nil:
		return a.finish(ctx, outcomeSucceeded, life.End{
			Status: protocol.StatusSucceeded, StopReason: answer.StopReason, Usage: a.usage(answer),
		})
	case errors.Is(err, errCancelled), errors.Is(err, errDeserted):
		end := life.Ended(protocol.CodeCancelled)
		end.Usage = a.usage(answer)
		return a.finish(ctx, outcomeCancelled, end)
	case errors.Is(err, ErrClosing) && a.hasOutput():
		return a.finish(ctx, outcomeDeadline, life.End{
			Status: protocol.StatusSucceeded, StopReason: protocol.StopReasonDeadline, Usage: a.usage(answer),
		})
	}
	var failure *model.Failure
	if !errors.As(err, &failure) {
		return outcomeHandedBack, a.handOver(ctx, 0, err)
	}
	return a.fail(ctx, answer, failure)
}

// fail ends the request, or gives it another attempt.
func (a *attempt) fail(ctx context.Context, answer model.Answer, failure *model.Failure) (string, Verdict) {
	if failure.Retryable && !a.record.UsedUp() && !a.shown() {
		return outcomeHandedBack, a.handOver(ctx, a.returnDelay(), failure)
	}
	a.log.WarnContext(ctx, "request failed", "error", failure)
	end := life.Ended(failure.Code)
	end.Final, end.StopReason = failure.Final, answer.StopReason
	if a.record.Charged(end) {
		end.Usage = a.usage(answer)
	}
	return a.finish(ctx, outcomeFailed, end)
}

// shown reports whether somebody has read text that no other attempt can take
// back.
func (a *attempt) shown() bool { return a.Irrevocable && a.stream.Started() }

// hasOutput reports whether the model has produced anything in this attempt. Its
// user can have it go on for as long as the request lets it, so what it has
// produced must be charged: such an attempt ends its request, where another
// would be begun anew.
func (a *attempt) hasOutput() bool { return a.stream.OutputTokens() > 0 }

// usage is what the model reported, and an estimate of what it did not.
func (a *attempt) usage(answer model.Answer) *protocol.TokenUsage {
	return a.record.Metered(answer.Usage, a.stream.OutputTokens())
}

// finish completes the log, writes the end, settles and tells the user, in this
// order. A failure on the way leaves the rest to the next delivery.
func (a *attempt) finish(ctx context.Context, outcome string, end life.End) (string, Verdict) {
	var err error
	if end.EndSeq, err = a.completeLog(ctx); err != nil {
		return outcomeHandedBack, a.handOver(ctx, a.returnDelay(), err)
	}
	ended, err := a.commit(ctx, end)
	switch {
	case errors.Is(err, life.ErrFenced):
		return outcomeFenced, HandBack(a.returnDelay(), errFenced)
	case err != nil:
		return outcomeHandedBack, HandBack(a.returnDelay(), err)
	}
	if err := a.tell(ctx, ended); err != nil {
		return outcome, Verdict{Ended: ended, Delay: RetryDelay, Err: err}
	}
	return outcome, Verdict{Done: true, Ended: ended}
}

// tell settles the ended request and tells its user. That is no longer the
// attempt's own matter: its lease ended with it.
func (a *attempt) tell(ctx context.Context, ended life.Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	return a.Life.Conclude(ctx, ended)
}

func (a *attempt) completeLog(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	return a.stream.Close(ctx)
}

// commit writes the end, however often it takes: the model's work is done and
// must not be done again. The fence alone tells whether the attempt still has
// its request. A renewal of the lease cannot: it is refused as soon as the end
// is written, which may be before the answer to the write is here.
func (a *attempt) commit(ctx context.Context, end life.End) (life.Record, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	for pause := firstPause / 5; ; pause *= 2 {
		record, err := a.Store.Finish(ctx, a.record.Fence(), end, a.options.Now())
		if err == nil || errors.Is(err, life.ErrFenced) {
			return record, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return record, fmt.Errorf("committing the end: %w", err)
		}
	}
}
