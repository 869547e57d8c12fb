package attempt

import (
	"context"
	"errors"
	"slices"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// input is what the model is asked, with the bytes of all uploads. release gives
// their memory back.
func (a *attempt) input(ctx context.Context) (in life.Input, release func(), err error) {
	if in, err = a.stored(ctx); err != nil {
		return in, nil, unreadable(ctx, err, protocol.CodeInternal)
	}
	if release, err = a.reserve(ctx, in.Messages); err != nil {
		return in, nil, err
	}
	if in.Messages, err = a.withUploads(ctx, in.Messages); err != nil {
		release()
		return in, nil, unreadable(ctx, err, protocol.CodeUploadNotFound)
	}
	return in, release, nil
}

// unreadable is the failure of an input that cannot be read: gone is its code if
// it is no longer there.
func unreadable(ctx context.Context, err error, gone protocol.Code) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, life.ErrNotFound) {
		return &model.Failure{Code: gone, Err: err}
	}
	return &model.Failure{Code: protocol.CodeInternal, Retryable: true, Err: err}
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
			return nil, life.ErrNotFound
		}
		if filled[i].Data, err = a.Uploads.Fetch(ctx, a.record.UserID, b.UploadID); err != nil {
			return nil, err
		}
	}
	return filled, nil
}
