package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Invoke runs a function (name or ARN) with a JSON payload and waits for its
// result. A function that fails is a Result with FunctionError, not an error;
// an error is a call that Lambda refused: *awsapi.Error with
// ResourceNotFoundException, TooManyRequestsException, RequestTooLargeException
// or InvalidRequestContentException. When ctx ends, the function goes on.
func (s *Service) Invoke(ctx context.Context, functionARN string, payload []byte) (Result, error) {
	f, err := s.find(functionARN)
	if err != nil {
		return Result{}, err
	}
	return f.invoke(ctx, payload)
}

// InvokeAs is Invoke by another service: principal (apigateway.amazonaws.com)
// and the ARN for which it acts must match a permission of the function, else
// the error is AccessDeniedException.
func (s *Service) InvokeAs(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) (Result, error) {
	f, err := s.find(functionARN)
	if err != nil {
		return Result{}, err
	}
	if err := f.checkPermission(principal, sourceARN); err != nil {
		return Result{}, err
	}
	return f.invoke(ctx, payload)
}

func (f *function) checkPermission(principal, sourceARN string) error {
	if f.permits(principal, sourceARN) {
		return nil
	}
	return &awsapi.Error{Status: http.StatusForbidden, Code: "AccessDeniedException", Message: fmt.Sprintf("%s is not authorized to perform: lambda:InvokeFunction on resource: %s for %s: no resource-based policy allows it", principal, f.arn, sourceARN)}
}

func (f *function) invoke(ctx context.Context, payload []byte) (Result, error) {
	if err := f.admit(payload); err != nil {
		return Result{}, err
	}
	inv := newInvocation(f, payload, f.service.options.Faults(f.name))
	go f.work(inv)
	select {
	case result := <-inv.result:
		return result, nil
	case <-ctx.Done():
		return Result{}, fmt.Errorf("waiting for function %s: %w", f.name, ctx.Err())
	}
}

// admit takes a synchronous invocation, unless its payload or a limit forbids it.
func (f *function) admit(payload []byte) error {
	if err := checkPayload(payload); err != nil {
		return err
	}
	return f.enter()
}

func checkPayload(payload []byte) error {
	if len(payload) > maxPayload {
		return &awsapi.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestTooLargeException", Message: fmt.Sprintf("%d byte payload is too large for the RequestResponse invocation type (limit %d bytes)", len(payload), maxPayload)}
	}
	if len(payload) > 0 && !json.Valid(payload) {
		return &awsapi.Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: "Could not parse request body into json"}
	}
	return nil
}

// enter counts an invocation against the limits; leave undoes it.
func (f *function) enter() error {
	s := f.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if reserved := f.spec.Reserved; reserved != nil && f.busy >= *reserved {
		return throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	} else if reserved == nil && s.unreservedBusy() >= s.options.Concurrency-s.reserved("") {
		return throttled("ConcurrentInvocationLimitExceeded")
	}
	f.busy++
	s.tasks.Add(1)
	return nil
}

func (f *function) leave() {
	f.service.mu.Lock()
	f.busy--
	f.service.mu.Unlock()
}

// unreservedBusy sums the invocations of functions without a reservation.
func (s *Service) unreservedBusy() int {
	sum := 0
	for _, f := range s.functions {
		if f.spec.Reserved == nil {
			sum += f.busy
		}
	}
	return sum
}
