package attempt

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/jitter"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// firstPause is how long an attempt waits before it asks again; each further
// pause is three times as long.
const firstPause = 500 * time.Millisecond

// endTurn is the stop reason of an answer that the model thinks complete.
const endTurn = "end_turn"

var errSilent = errors.New("the model ended its turn without a word")

// ask streams the model's answer. A retryable failure before the first word, be it
// of reasoning, is met by another call after a pause, as long as the request has
// calls left.
func (a *attempt) ask(ctx context.Context) (model.Answer, error) {
	in, err := a.input(ctx)
	if err != nil {
		return model.Answer{}, err
	}
	pause := firstPause
	for silences := 0; ; {
		whole, sent, err := a.withMedia(ctx, in)
		if err != nil {
			return model.Answer{}, err
		}
		answer, err := a.call(ctx, whole, sent)
		if err == nil && answer.StopReason == endTurn && !a.stream.Answered() {
			silences++
			err = a.silence(silences)
		}
		var failure *model.Failure
		if !errors.As(err, &failure) || !failure.Retryable || a.stream.Started() || a.record.UsedUp() {
			return answer, err
		}
		if failure.Code == protocol.CodeModelThrottled {
			a.Metrics.Record(metrics.Count(metrics.ModelThrottles, 1))
		}
		a.log.WarnContext(ctx, "asking the model again", "error", err, "pause", pause.String())
		a.stream.Discount()
		select {
		case <-time.After(jitter.Half(pause)):
		case <-ctx.Done():
			return model.Answer{}, context.Cause(ctx)
		}
		if again, err := a.callAgain(ctx); !again {
			return answer, errors.Join(failure, err)
		}
		pause *= 3
	}
}

// silence is the failure of an answer without a word, the n-th of the attempt.
// The first of the request's first attempt is worth one more call, unless the
// user has had enough of them for nothing. Whose reasoning was shown has begun
// its answer: that call is another attempt's, which voids it.
func (a *attempt) silence(n int) error {
	again := n == 1 && a.record.Attempt == 1 && !a.record.RefundsSpent
	return &model.Failure{Code: protocol.CodeModelError, Retryable: again, Err: errSilent}
}

// callAgain announces another call, so that calls are bounded however many
// attempts die.
func (a *attempt) callAgain(ctx context.Context) (bool, error) {
	again, err := a.Store.CountCall(ctx, a.record.Fence())
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case err != nil:
		return false, err
	case again:
		a.record.Calls++
	default:
		a.record.Calls = a.record.AttemptCap
	}
	return again, nil
}

// call asks the model once, and tells when it has read the input. A panic in it
// is a failure like any other.
func (a *attempt) call(ctx context.Context, in life.Input, sent func()) (answer model.Answer, err error) {
	defer sent()
	defer func() {
		if r := recover(); r != nil {
			a.log.ErrorContext(ctx, "panic while streaming", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = &model.Failure{Code: protocol.CodeInternal, Retryable: true, Err: errors.New("panic while streaming")}
		}
	}()
	return a.Model.Stream(ctx, a.record, in, listener{a, sent})
}
