package lambda

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Limits of a mapping (docs, with-sqs and SDK documentation).
const (
	defaultBatchSize = 10
	maxBatchSize     = 10000
	maxWindow        = 300 * time.Second
	minConcurrency   = 2
	maxConcurrency   = 1000
	// scaledConcurrency is where a mapping without MaximumConcurrency stops
	// (docs, services-sqs-scaling). It is reached at once here, not by 300 a minute.
	scaledConcurrency = 1250
)

// Mappings are the event source mappings of a Service.
type Mappings struct {
	options MappingOptions

	mu       sync.Mutex
	mappings map[string]*mapping // by id
	closed   bool
}

// NewMappings returns an empty set.
func NewMappings(options MappingOptions) *Mappings {
	if options.Authorize == nil {
		options.Authorize = func(string, awsapi.Permission) *awsapi.Error { return nil }
	}
	return &Mappings{options: options, mappings: map[string]*mapping{}}
}

// CreateEventSourceMapping starts to poll a queue for a function and returns
// the mapping's UUID. It is refused if the function's role may not read the
// queue, or if the queue hides messages for less than the function's time-out.
func (ms *Mappings) CreateEventSourceMapping(spec MappingSpec) (id string, err error) {
	spec = spec.withDefaults()
	if err := spec.validate(); err != nil {
		return "", err
	}
	info, err := ms.check(spec)
	if err != nil {
		return "", fmt.Errorf("creating mapping of %s: %w", spec.QueueARN, err)
	}
	m := newMapping(awsapi.NewRequestID(), spec, info, ms.options)
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.closed {
		return "", errClosed
	}
	for _, other := range ms.mappings {
		if other.spec.QueueARN == spec.QueueARN && other.info.ARN == info.ARN {
			return "", conflict("An event source mapping with SQS arn (\" %s \") and function (\" %s \") already exists. Please update or delete the existing mapping with UUID %s", spec.QueueARN, info.ARN, other.id)
		}
	}
	ms.mappings[m.id] = m
	if !spec.Disabled {
		m.start()
	}
	return m.id, nil
}

// UpdateEventSourceMapping replaces all settings of a mapping but its queue; a
// batch at work ends with the old ones.
func (ms *Mappings) UpdateEventSourceMapping(id string, spec MappingSpec) error {
	spec = spec.withDefaults()
	if err := spec.validate(); err != nil {
		return err
	}
	info, err := ms.check(spec)
	if err != nil {
		return fmt.Errorf("updating mapping %s: %w", id, err)
	}
	old, err := ms.take(id)
	if err != nil {
		return err
	}
	old.drain()
	m := newMapping(id, spec, info, ms.options)
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.closed {
		return errClosed
	}
	ms.mappings[id] = m
	if !spec.Disabled {
		m.start()
	}
	return nil
}

// SetEventSourceMappingEnabled stops or starts the polling of a mapping.
func (ms *Mappings) SetEventSourceMappingEnabled(id string, enabled bool) error {
	ms.mu.Lock()
	m := ms.mappings[id]
	ms.mu.Unlock()
	if m == nil {
		return notFound("The resource you requested does not exist: mapping %s", id)
	}
	spec := m.spec
	spec.Disabled = !enabled
	return ms.UpdateEventSourceMapping(id, spec)
}

// DeleteEventSourceMapping stops polling and waits for the batches at work.
func (ms *Mappings) DeleteEventSourceMapping(id string) error {
	m, err := ms.take(id)
	if err != nil {
		return err
	}
	m.drain()
	return nil
}

// Close stops all mappings and waits for their batches.
func (ms *Mappings) Close() {
	for _, m := range ms.stopAll() {
		m.drain()
	}
}

// stopAll stops polling without waiting.
func (ms *Mappings) stopAll() []*mapping {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.closed = true
	all := make([]*mapping, 0, len(ms.mappings))
	for _, m := range ms.mappings {
		m.stop()
		all = append(all, m)
	}
	return all
}

func (ms *Mappings) take(id string) (*mapping, error) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m := ms.mappings[id]
	if m == nil {
		return nil, notFound("The resource you requested does not exist: mapping %s", id)
	}
	delete(ms.mappings, id)
	return m, nil
}

// check looks at the function, its role and the queue.
func (ms *Mappings) check(spec MappingSpec) (FunctionInfo, error) {
	if ms.options.Queue == nil {
		return FunctionInfo{}, invalidParameter("there is no queue service")
	}
	info, err := ms.options.Functions.Describe(spec.Function)
	if err != nil {
		return FunctionInfo{}, err
	}
	for _, action := range []string{"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"} {
		permission := awsapi.Permission{Action: "sqs:" + action, Resource: spec.QueueARN}
		if refused := ms.options.Authorize(info.AccessKeyID, permission); refused != nil {
			return FunctionInfo{}, invalidParameter("The function execution role does not have permissions to call %s on SQS", action)
		}
	}
	visibility, err := ms.options.Queue.VisibilityTimeout(spec.QueueARN)
	if err != nil {
		return FunctionInfo{}, invalidParameter("Error occurred while ReceiveMessage. SQS Error Message: %v", err)
	}
	if visibility < info.Timeout {
		return FunctionInfo{}, invalidParameter("Queue visibility timeout: %d seconds is less than Function timeout: %d seconds", int(visibility.Seconds()), int(info.Timeout.Seconds()))
	}
	return info, nil
}

func (s MappingSpec) withDefaults() MappingSpec {
	if s.BatchSize == 0 {
		s.BatchSize = defaultBatchSize
	}
	return s
}

func (s MappingSpec) validate() error {
	switch {
	case !strings.HasPrefix(s.QueueARN, "arn:") || !strings.Contains(s.QueueARN, ":sqs:"):
		return invalidParameter("Unrecognized event source, must be the ARN of an SQS queue: %q", s.QueueARN)
	case s.BatchSize < 1 || s.BatchSize > maxBatchSize:
		return invalidParameter("Batch size must be between 1 and %d, got %d", maxBatchSize, s.BatchSize)
	case strings.HasSuffix(s.QueueARN, ".fifo") && (s.BatchSize > defaultBatchSize || s.BatchingWindow > 0):
		return invalidParameter("A FIFO queue allows at most 10 messages a batch and no batching window")
	case s.BatchSize > defaultBatchSize && s.BatchingWindow < time.Second:
		return invalidParameter("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	case s.BatchingWindow < 0 || s.BatchingWindow > maxWindow || s.BatchingWindow%time.Second != 0:
		return invalidParameter("Maximum batch window must be whole seconds from 0 to 300, got %v", s.BatchingWindow)
	case s.MaximumConcurrency != 0 && (s.MaximumConcurrency < minConcurrency || s.MaximumConcurrency > maxConcurrency):
		return invalidParameter("MaximumConcurrency must be between %d and %d, got %d", minConcurrency, maxConcurrency, s.MaximumConcurrency)
	}
	return nil
}
