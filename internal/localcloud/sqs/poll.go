package sqs

import (
	"context"
	"fmt"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// ReceiveOptions are those of ReceiveMessage.
type ReceiveOptions struct {
	Max        int           // 1 to 10; default 1
	Wait       time.Duration // up to 20 s; default 0: answer at once
	Visibility time.Duration // 0: the queue's own
}

// Receive delivers messages to an event source mapping, which checks its
// function's role by itself. It returns none when the wait or ctx ends.
func (s *Service) Receive(ctx context.Context, queueARN string, o ReceiveOptions) ([]Message, error) {
	q, refusal := s.queue(nameOf(queueARN))
	if refusal != nil {
		return nil, fmt.Errorf("receiving from queue %s: %w", queueARN, refusal)
	}
	var visibility *time.Duration
	if o.Visibility > 0 {
		visibility = &o.Visibility
	}
	messages, refusal := q.receive(ctx, min(max(o.Max, 1), maxBatch), o.Wait, visibility)
	if refusal != nil {
		return nil, fmt.Errorf("receiving from queue %s: %w", queueARN, refusal)
	}
	return messages, nil
}

// Delete deletes a received message.
func (s *Service) Delete(queueARN, receiptHandle string) error {
	q, refusal := s.queue(nameOf(queueARN))
	if refusal == nil {
		refusal = q.remove(receiptHandle)
	}
	return asError("deleting message of queue "+queueARN, refusal)
}

// ChangeVisibility hides a received message for d from now.
func (s *Service) ChangeVisibility(queueARN, receiptHandle string, d time.Duration) error {
	q, refusal := s.queue(nameOf(queueARN))
	if refusal == nil {
		refusal = q.changeVisibility(receiptHandle, d)
	}
	return asError("changing visibility in queue "+queueARN, refusal)
}

// VisibilityTimeout returns a queue's own visibility timeout.
func (s *Service) VisibilityTimeout(queueARN string) (time.Duration, error) {
	q, refusal := s.queue(nameOf(queueARN))
	if refusal != nil {
		return 0, fmt.Errorf("reading visibility of queue %s: %w", queueARN, refusal)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.settings.duration(visibilityTimeout), nil
}

// Send puts a message into a queue, as another service of the cloud would.
func (s *Service) Send(queueARN, body string) error {
	q, refusal := s.queue(nameOf(queueARN))
	if refusal == nil {
		_, refusal = q.send(&sendEntry{MessageBody: &body}, "local")
	}
	return asError("sending to queue "+queueARN, refusal)
}

func asError(doing string, refusal *awsapi.Error) error {
	if refusal == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, refusal)
}
