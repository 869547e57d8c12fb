package connection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// A replay ends early after so long, or that much before the function would be
// killed: the client asks for the rest.
const (
	replayTime  = 20 * time.Second
	closingTime = time.Second
)

// resume replays the frames that the client lacks, then heals the request: a
// client that asks may be the only one who still does.
func (h *Handler) resume(ctx context.Context, c life.Connection, key life.Key, frame protocol.ClientFrame) error {
	record, err := h.Store.Record(ctx, key)
	if err != nil {
		return fmt.Errorf("reading request %s: %w", key.RequestID, err)
	}
	if err := h.replay(ctx, c, record, frame); err != nil {
		return err
	}
	if _, err := h.Life.Heal(ctx, record); err != nil {
		h.Log.WarnContext(ctx, "cannot heal a request", "requestId", key.RequestID, "error", err)
	}
	return nil
}

// replay posts the frames of the current attempt, one after the other.
func (h *Handler) replay(ctx context.Context, c life.Connection, record life.Record, frame protocol.ClientFrame) error {
	if record.Status == protocol.StatusQueued {
		return nil
	}
	attempt, afterSeq := 0, -1
	if frame.Attempt != nil {
		attempt = *frame.Attempt
	}
	if frame.AfterSeq != nil && attempt == record.Attempt {
		afterSeq = *frame.AfterSeq
	}
	chunks, err := h.chunks(ctx, record, afterSeq)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeLeft(ctx))
	defer cancel()
	frames := life.Replay(record, chunks, attempt, afterSeq)
	for _, f := range frames[:min(len(frames), protocol.MaxReplayFrames)] {
		err := h.Sockets.Deliver(ctx, c, f.Encode())
		switch {
		case ctx.Err() != nil, errors.Is(err, relay.ErrGone), errors.Is(err, relay.ErrSlow):
			return nil // a prefix
		case err != nil:
			return fmt.Errorf("replaying request %s: %w", record.RequestID, err)
		}
	}
	return nil
}

// chunks reads the part of the log that the client lacks, if any.
func (h *Handler) chunks(ctx context.Context, record life.Record, afterSeq int) ([]life.Chunk, error) {
	if record.EndedByOther() || (record.Status.Terminal() && afterSeq >= record.EndSeq-1) {
		return nil, nil
	}
	chunks, err := h.Store.Chunks(ctx, record.RequestID, record.Owner, max(0, afterSeq))
	if err != nil {
		return nil, fmt.Errorf("reading the log of request %s: %w", record.RequestID, err)
	}
	return chunks, nil
}

func timeLeft(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return replayTime
	}
	return max(0, min(replayTime, time.Until(deadline)-closingTime))
}
