package lambda

import (
	"context"
	"fmt"
	"io"
)

// StreamedResponse is the response of a function that has begun to answer.
type StreamedResponse struct {
	RequestID   string
	ContentType string // as the function posted it
	// Body is what the function writes, as it writes it. Its reader sets the
	// pace. It ends with a *StreamError when the function failed in mid-stream.
	// After Close the function runs on and what it writes is dropped.
	Body io.ReadCloser
}

// StreamError is the failure of a function whose response is streamed, the
// ErrorCode and ErrorDetails of Lambda's InvokeComplete event.
type StreamError struct {
	RequestID string
	Code      string // such as Sandbox.Timedout
	Details   []byte // the function's error as JSON
}

// Error implements error.
func (e *StreamError) Error() string { return e.Code + ": " + string(e.Details) }

// InvokeStream is Lambda's InvokeWithResponseStream: it returns when the response
// begins. A function that fails before is a *StreamError; other errors are those
// of Invoke. When ctx ends before, the function goes on.
func (s *Service) InvokeStream(ctx context.Context, functionARN string, payload []byte) (*StreamedResponse, error) {
	f, err := s.find(functionARN)
	if err != nil {
		return nil, err
	}
	return f.invokeStream(ctx, payload)
}

// InvokeStreamAs is to InvokeStream what InvokeAs is to Invoke; both need the
// permission lambda:InvokeFunction (API_InvokeWithResponseStream).
func (s *Service) InvokeStreamAs(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) (*StreamedResponse, error) {
	f, err := s.find(functionARN)
	if err != nil {
		return nil, err
	}
	if err := f.checkPermission(principal, sourceARN); err != nil {
		return nil, err
	}
	return f.invokeStream(ctx, payload)
}

func (f *function) invokeStream(ctx context.Context, payload []byte) (*StreamedResponse, error) {
	if err := f.admit(payload); err != nil {
		return nil, err
	}
	inv := newInvocation(f, payload, f.service.options.Faults(f.name))
	inv.stream = newResponseStream(inv.id)
	go f.work(inv)
	select {
	case begun := <-inv.stream.begun:
		return begun.response, begun.err
	case <-ctx.Done():
		inv.stream.abandon()
		return nil, fmt.Errorf("waiting for function %s: %w", f.name, ctx.Err())
	}
}
