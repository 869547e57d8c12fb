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

// invokeAsync takes an event and works it later, by the function's
// EventInvokeConfig.
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

// Waits of an event that Lambda could not hand to its function, as for want of
// concurrency (docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
const (
	firstBackoff = time.Second
	lastBackoff  = 5 * time.Minute
)

// attempts works an event until it succeeds, has failed too often or is too
// old. Only errors of the function count as attempts.
func (s *Service) attempts(f *function, event []byte) {
	taken, failed, delay, backoff := time.Now(), 0, time.Duration(0), firstBackoff
	for s.sleep(delay) {
		config := f.eventInvokeConfig()
		if time.Since(taken) > config.MaximumEventAge {
			return
		}
		result, err := f.invoke(context.Background(), event)
		switch {
		case err != nil:
			delay, backoff = backoff, min(2*backoff, lastBackoff)
		case result.FunctionError == "" || failed >= min(config.MaximumRetryAttempts, len(s.options.RetryDelays)):
			return
		default:
			delay = s.options.RetryDelays[failed]
			failed++
		}
	}
}

// sleep reports whether the service still runs after a delay.
func (s *Service) sleep(delay time.Duration) bool {
	select {
	case <-time.After(delay):
		return true
	case <-s.stop:
		return false
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
