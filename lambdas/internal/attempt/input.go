package attempt

import (
	"context"
	"errors"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// input is what the model is asked, with references to uploads.
func (a *attempt) input(ctx context.Context) (life.Input, error) {
	if a.Input != nil {
		return *a.Input, nil
	}
	in, err := a.Store.Input(ctx, a.record.RequestID, a.record.BodyHash)
	if err != nil {
		return in, unreadable(ctx, err, protocol.CodeInternal)
	}
	return in, nil
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
