package lambda

import "time"

// EventInvokeConfig says how long Lambda tries a function's asynchronous
// invocations.
type EventInvokeConfig struct {
	MaximumRetryAttempts int           // after an error of the function, 0 to 2
	MaximumEventAge      time.Duration // after which an event is dropped, 1 min to 6 h
}

// Limits and defaults of asynchronous invocations
// (docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html).
const (
	maxRetryAttempts = 2
	minEventAge      = time.Minute
	maxEventAge      = 6 * time.Hour
)

// PutEventInvokeConfig sets how asynchronous invocations of a function are
// tried.
func (s *Service) PutEventInvokeConfig(functionName string, config EventInvokeConfig) error {
	switch {
	case config.MaximumRetryAttempts < 0 || config.MaximumRetryAttempts > maxRetryAttempts:
		return invalidParameter("'maximumRetryAttempts' failed to satisfy constraint: Member must have value between 0 and %d, got %d", maxRetryAttempts, config.MaximumRetryAttempts)
	case config.MaximumEventAge < minEventAge || config.MaximumEventAge > maxEventAge:
		return invalidParameter("'maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value between %v and %v, got %v", minEventAge.Seconds(), maxEventAge.Seconds(), config.MaximumEventAge.Seconds())
	}
	return s.setEventInvokeConfig(functionName, config)
}

// DeleteEventInvokeConfig puts AWS's defaults back.
func (s *Service) DeleteEventInvokeConfig(functionName string) error {
	return s.setEventInvokeConfig(functionName, defaultEventInvokeConfig)
}

var defaultEventInvokeConfig = EventInvokeConfig{MaximumRetryAttempts: maxRetryAttempts, MaximumEventAge: maxEventAge}

func (s *Service) setEventInvokeConfig(functionName string, config EventInvokeConfig) error {
	f, err := s.find(functionName)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.asynchronous = config
	f.mu.Unlock()
	return nil
}

func (f *function) eventInvokeConfig() EventInvokeConfig {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asynchronous
}
