package completions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/protocol"
)

// How often the log of somebody else's attempt is looked at: soon after it has
// grown, and ever later while it does not.
const (
	soonest = 200 * time.Millisecond
	latest  = time.Second
)

// Causes for which a response ends before its request.
var (
	errStillRunning = errors.New("the function's time is over")
	errPanic        = errors.New("panic while answering")
)

// errForgotten says that the log of an answer is not kept any more.
var errForgotten = errors.New("the answer is not kept any more")

// position is how far a follower has come in a request's log.
type position struct {
	attempt, seq int
	answer       *protocol.Answer // of the attempt, up to seq
}

// beginning is the position before the first frame of an attempt.
func beginning(attempt int) position { return position{attempt: attempt, answer: new(protocol.Answer)} }

// follow hands on the answer of a request that somebody else works on, from a
// position to its end.
func (f *Function) follow(ctx context.Context, key life.Key, at position, reply *reply) {
	for pause := soonest; ; pause = min(pause*3/2, latest) {
		next, ended, err := f.catchUp(ctx, key, at, reply)
		switch {
		case ended:
			return
		case errors.Is(err, errBegunAgain), errors.Is(err, life.ErrNotFound):
			reply.fail(interrupted(key, err))
			return
		case errors.Is(err, errForgotten):
			reply.fail(forgotten(key))
			return
		case err != nil:
			f.Log.WarnContext(ctx, "cannot follow a request", "requestId", key.RequestID, "error", err)
		}
		if next != at {
			at, pause = next, soonest
		}
		if attempt.Closing(ctx) <= pause || !sleep(ctx, pause) {
			reply.fail(interrupted(key, errStillRunning))
			return
		}
	}
}

// sleep reports whether ctx is still alive after d.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// catchUp hands on what the log has beyond a position, and the end if there is
// one. A request that stands still is healed on the way.
func (f *Function) catchUp(ctx context.Context, key life.Key, at position, reply *reply) (position, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	record, err := f.Store.Record(ctx, key)
	if err != nil {
		return at, false, fmt.Errorf("reading request %s: %w", key.RequestID, err)
	}
	if record.Owner != "" && !record.EndedByOther() {
		if at, err = f.handOn(ctx, record, at, reply); err != nil {
			return at, false, err
		}
	}
	if record.Status == protocol.StatusSucceeded && at.seq < record.EndSeq-1 {
		return at, false, errForgotten // the log was complete before the record said so
	}
	if record.Status.Terminal() {
		reply.end(record)
		return at, true, nil
	}
	if _, err := f.Life.Heal(ctx, record); err != nil {
		return at, false, fmt.Errorf("healing request %s: %w", key.RequestID, err)
	}
	return at, false, nil
}

// handOn writes the answer beyond a position to the reply.
func (f *Function) handOn(ctx context.Context, record life.Record, at position, reply *reply) (position, error) {
	if record.Attempt != at.attempt {
		if !reply.beginAgain() {
			return at, errBegunAgain
		}
		at = beginning(record.Attempt)
	}
	chunks, err := f.Store.Chunks(ctx, record.RequestID, record.Owner, at.seq)
	if err != nil {
		return at, fmt.Errorf("reading the log of request %s: %w", record.RequestID, err)
	}
	for _, frame := range life.AnswerFrames(record, chunks, at.seq) {
		at.answer.Add(frame)
		at.seq = *frame.Seq
	}
	reply.catchUp(at.answer)
	return at, nil
}

// forgotten is the error of a replay that comes too late.
func forgotten(key life.Key) *openai.Error {
	return openai.AsError(httpapi.NewError(protocol.CodeNotFound, fmt.Sprintf("The answer of request %s is not kept any more.", key.RequestID)))
}

// interrupted is the error of a response that ends before its request does.
func interrupted(key life.Key, cause error) *openai.Error {
	e := httpapi.NewError(protocol.CodeUnavailable, fmt.Sprintf(
		"The response was interrupted; the request goes on. GET /requests/%s has its answer, and so has the same call with the same Idempotency-Key.", key.RequestID))
	e.Cause = cause
	return openai.AsError(e.With("Retry-After", "1"))
}
