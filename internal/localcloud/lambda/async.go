package lambda

import (
	"context"
	"time"
)

// eventsPrincipal is EventBridge's in resource policies.
const eventsPrincipal = "events.amazonaws.com"

// runTarget invokes a rule's target asynchronously, as EventBridge does. What
// the caller learns is a refusal; a failing function is invoked again.
func (s *Service) runTarget(ruleARN string, target Target, event []byte) error {
	f, err := s.find(target.ARN)
	if err != nil {
		return err
	}
	if err := f.checkPermission(eventsPrincipal, ruleARN); err != nil {
		return err
	}
	return s.invokeAsync(f, event)
}

// invokeAsync takes an event and works it later, at most three times
// (docs.aws.amazon.com/lambda/latest/dg/invocation-async.html).
func (s *Service) invokeAsync(f *function, event []byte) error {
	if err := checkPayload(event); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.tasks.Go(func() { s.attempts(f, event) })
	return nil
}

func (s *Service) attempts(f *function, event []byte) {
	for _, delay := range append([]time.Duration{0}, s.options.RetryDelays...) {
		select {
		case <-time.After(delay):
		case <-s.stop:
			return
		}
		result, err := f.invoke(context.Background(), event)
		if err == nil && result.FunctionError == "" {
			return
		}
	}
}

// mappedFunctions is what mappings see of the functions.
type mappedFunctions struct{ *Service }

// Describe implements MappedFunctions.
func (m mappedFunctions) Describe(nameOrARN string) (FunctionInfo, error) {
	f, err := m.find(nameOrARN)
	if err != nil {
		return FunctionInfo{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	id, _, _ := m.options.Credentials(f.spec.RoleARN)
	return FunctionInfo{ARN: f.arn, Timeout: f.spec.timeout(), AccessKeyID: id}, nil
}
