// Package sqs is the queue service of the local cloud: standard queues with
// visibility, receive counts, redrive to a dead-letter queue, delay, retention
// and long poll, spoken to in JSON 1.0 by any AWS SDK or CLI and in Go by the
// pollers of event source mappings. FIFO queues are refused.
package sqs

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Faults decides which deliveries go wrong.
type Faults interface {
	LoseMessage() bool      // a sent message is lost although the sender got an answer
	DuplicateMessage() bool // a delivered message is delivered once more
	EarlyMessage() bool     // a message in flight is visible again before its time
	ReorderMessage() bool   // a younger message overtakes
}

// Service holds the queues. Its methods may be called concurrently.
type Service struct {
	guard   awsapi.Guard
	faults  Faults
	baseURL func() string

	mu     sync.RWMutex
	queues map[string]*queue // by name

	moves sync.RWMutex // read-held while messages move from queue to queue
}

// Option changes a new Service.
type Option func(*Service)

// WithFaults lets faults decide about deliveries. Default: none goes wrong.
func WithFaults(faults Faults) Option { return func(s *Service) { s.faults = faults } }

// WithBaseURL gives the address that queue URLs begin with, asked for each time
// as the port may be known late. Default: the real service's.
func WithBaseURL(baseURL func() string) Option { return func(s *Service) { s.baseURL = baseURL } }

// New returns a service without queues.
func New(guard awsapi.Guard, options ...Option) *Service {
	s := &Service{
		guard:   guard,
		faults:  noFaults{},
		baseURL: func() string { return "https://sqs." + awsapi.Region + "." + awsapi.DNSSuffix },
		queues:  map[string]*queue{},
	}
	for _, option := range options {
		option(s)
	}
	return s
}

// Spec declares a queue by the attributes of AWS's CreateQueue, such as
// VisibilityTimeout or RedrivePolicy. Absent ones have AWS's defaults.
type Spec struct {
	Name       string
	Attributes map[string]string
	Tags       map[string]string
}

// CreateQueue declares a queue. Repeating it with the same attributes does nothing.
func (s *Service) CreateQueue(spec Spec) (url, arn string, err error) {
	if refusal := s.create(spec); refusal != nil {
		return "", "", fmt.Errorf("creating queue %s: %w", spec.Name, refusal)
	}
	return s.URL(spec.Name), ARN(spec.Name), nil
}

func (s *Service) create(spec Spec) *awsapi.Error {
	if refusal := validateName(spec.Name); refusal != nil {
		return refusal
	}
	settings := defaultSettings()
	if refusal := settings.apply(spec.Attributes); refusal != nil {
		return refusal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if existing, ok := s.queues[spec.Name]; ok {
		if existing.sameSettings(settings) {
			return nil
		}
		return queueNameExists()
	}
	s.queues[spec.Name] = newQueue(s, spec.Name, settings, spec.Tags)
	return nil
}

// SetAttributes changes attributes of a queue.
func (s *Service) SetAttributes(arn string, attributes map[string]string) error {
	q, refusal := s.queue(nameOf(arn))
	if refusal == nil {
		refusal = q.setAttributes(attributes)
	}
	if refusal != nil {
		return fmt.Errorf("setting attributes of queue %s: %w", arn, refusal)
	}
	return nil
}

// Attributes returns all attributes of a queue, the approximate counts included.
func (s *Service) Attributes(arn string) (map[string]string, error) {
	q, refusal := s.queue(nameOf(arn))
	if refusal != nil {
		return nil, fmt.Errorf("reading attributes of queue %s: %w", arn, refusal)
	}
	return q.attributes(), nil
}

// DeleteQueue removes a queue and its messages.
func (s *Service) DeleteQueue(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.queues, nameOf(arn))
}

func (s *Service) queue(name string) (*queue, *awsapi.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, ok := s.queues[name]
	if !ok {
		return nil, queueDoesNotExist()
	}
	return q, nil
}

// URL returns the URL of the queue of that name.
func (s *Service) URL(name string) string {
	return strings.TrimRight(s.baseURL(), "/") + "/" + awsapi.AccountID + "/" + name
}

// ARN returns the ARN of the queue of that name.
func ARN(name string) string { return awsapi.ARN("sqs", name) }

// nameOf finds a queue's name in its ARN or URL.
func nameOf(arnOrURL string) string {
	return arnOrURL[strings.LastIndexAny(arnOrURL, ":/")+1:]
}

type noFaults struct{}

func (noFaults) LoseMessage() bool      { return false }
func (noFaults) DuplicateMessage() bool { return false }
func (noFaults) EarlyMessage() bool     { return false }
func (noFaults) ReorderMessage() bool   { return false }

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
