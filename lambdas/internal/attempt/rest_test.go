package attempt_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

// outside is everything around one attempt. Its model says two words and tells
// how long its listener rests then.
type outside struct {
	attempt.Store // methods that are not called
	rested        time.Duration
}

func (*outside) Records(context.Context, []life.Key) (map[life.Key]life.Record, error) {
	return nil, nil
}

func (*outside) PutChunk(context.Context, string, string, life.Chunk, time.Time) error { return nil }

func (*outside) Finish(context.Context, life.Attempt, life.End, time.Time) (life.Record, error) {
	return life.Record{}, nil
}

func (*outside) Conclude(context.Context, life.Record) error { return nil }

func (*outside) Connections(context.Context, string, bool) ([]life.Connection, error) {
	return nil, nil
}

func (o *outside) Stream(ctx context.Context, _ life.Record, _ life.Input, listener model.Listener) (model.Answer, error) {
	for range 2 {
		listener.Take(model.Delta{Kind: model.KindText, Text: "word "})
	}
	begun := time.Now()
	listener.Rest(ctx)
	o.rested = time.Since(begun)
	return model.Answer{StopReason: "end_turn"}, nil
}

// Text that waits for its frame lets the model's next words wait, too; not where
// somebody is told each of them at once, as over SSE.
func TestWhoIsToldEveryPieceHasNoRest(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := &outside{}
			runner := attempt.New(attempt.Deps{
				Store: o, Life: o, Model: o, Hub: relay.NewHub(nil, o), Backoff: &sockets.Backoff{}, Log: slog.New(slog.DiscardHandler),
			}, attempt.Options{})
			hold := attempt.Hold{Input: &life.Input{}}
			if told {
				hold.OnDelta = func(model.Delta) {}
			}
			record := life.Record{Attempt: 1, AttemptCap: life.AttemptCap, LeaseUntil: time.Now().Add(life.DefaultLease)}
			if v := runner.Run(t.Context(), record, hold); !v.Done {
				t.Errorf("verdict %+v", v)
			}
			if rests := o.rested > 0; rests == told {
				t.Errorf("told every piece: %v, rested %v", told, o.rested)
			}
			time.Sleep(time.Second) // the watcher sees that nothing is left
		})
	}
}
