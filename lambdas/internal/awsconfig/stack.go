package awsconfig

import (
	"context"

	"github.com/aws/smithy-go/middleware"
)

// stackOfCall is more than a call of AWS needs of its goroutine's stack.
const stackOfCall = 16 << 10

// growStack is a middleware that makes room for the whole call on the stack of
// its goroutine, if that is new. Go would double the stack again and again as the
// call goes deeper, and copy ever more frames.
func growStack(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("GrowStack", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		occupy(0)
		return next.HandleInitialize(ctx, in)
	}), middleware.Before)
}

// occupy has a frame as large as the room that is needed. What it returns keeps
// the compiler from leaving it out.
//
//go:noinline
func occupy(at int) byte {
	var room [stackOfCall]byte
	return room[at]
}
