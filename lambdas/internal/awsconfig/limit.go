package awsconfig

import (
	"context"
	"fmt"

	"github.com/aws/smithy-go/middleware"
)

// MaxCalls is how many calls of AWS a process makes at once. Ten requests with
// ten sockets each stay far below it; it bounds the memory of bursts, because a
// call under way holds a deep stack.
const MaxCalls = 256

// limitCalls returns a middleware that lets calls wait for their turn before
// anything else is done for them. A stream counts until its answer begins.
func limitCalls(most int) func(*middleware.Stack) error {
	turns := make(chan struct{}, most)
	limit := middleware.InitializeMiddlewareFunc("LimitCalls", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
			return next.HandleInitialize(ctx, in)
		case <-ctx.Done():
			return out, metadata, fmt.Errorf("waiting for a turn: %w", ctx.Err())
		}
	})
	return func(stack *middleware.Stack) error { return stack.Initialize.Add(limit, middleware.Before) }
}
