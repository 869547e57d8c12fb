package attempt

import (
	"context"
	"errors"
	"slices"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

var errNoUploads = errors.New("an input refers to an upload, and there are none here")

// input is what the model is asked, with the bytes of all uploads. release gives
// their memory back.
func (a *attempt) input(ctx context.Context) (in life.Input, release func(), err error) {
	if in, err = a.stored(ctx); err != nil {
		return in, nil, unreadable(ctx, err, false)
	}
	if release, err = a.reserve(ctx, in.Messages); err != nil {
		return in, nil, err
	}
	if in.Messages, err = a.withUploads(ctx, in.Messages); err != nil {
		release()
		return in, nil, unreadable(ctx, err, true)
	}
	return in, release, nil
}

// unreadable is the failure of an input that cannot be read. Where something of
// it is gone that a body only refers to, no other request with that body can
// succeed.
func unreadable(ctx context.Context, err error, referred bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	gone := errors.Is(err, life.ErrNotFound)
	return &model.Failure{Code: protocol.CodeInternal, Retryable: !gone, Final: gone && referred, Err: err}
}

func (a *attempt) stored(ctx context.Context) (life.Input, error) {
	if a.Input != nil {
		return *a.Input, nil
	}
	return a.Store.Input(ctx, a.record.RequestID, a.record.BodyHash)
}

// withUploads returns messages whose blocks have the bytes that they refer to.
// What it was given stays as it is.
func (a *attempt) withUploads(ctx context.Context, messages []protocol.Message) ([]protocol.Message, error) {
	filled := slices.Clone(messages)
	for i, m := range filled {
		var err error
		if filled[i].Blocks, err = a.fill(ctx, m.Blocks); err != nil {
			return nil, err
		}
	}
	return filled, nil
}

func (a *attempt) fill(ctx context.Context, blocks []protocol.Block) ([]protocol.Block, error) {
	filled := slices.Clone(blocks)
	for i, b := range filled {
		var err error
		if filled[i].Content, err = a.fill(ctx, b.Content); err != nil {
			return nil, err
		}
		if b.UploadID == "" {
			continue
		}
		if a.Uploads == nil {
			return nil, errNoUploads
		}
		if filled[i].Data, err = a.Uploads.Fetch(ctx, a.record.UserID, b.UploadID); err != nil {
			return nil, err
		}
	}
	return filled, nil
}
