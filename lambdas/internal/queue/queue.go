// Package queue is the way of a request's claim check through SQS.
package queue

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// The longest times that SQS hides a message and delays one.
const (
	maxVisibility = 12 * time.Hour
	maxDelay      = 15 * time.Minute
)

// API is the part of the SQS client that the queue uses.
type API interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
}

var _ API = (*sqs.Client)(nil)

// Queue sends, hides and deletes messages of one queue.
type Queue struct {
	client API
	url    string
}

var _ life.Queue = (*Queue)(nil)

// New returns the queue with the given URL.
func New(client API, url string) *Queue { return &Queue{client, url} }

// Send sends the claim check of a request.
func (q *Queue) Send(ctx context.Context, key life.Key) error { return q.SendAfter(ctx, key, 0) }

// SendAfter sends the claim check of a request to arrive after d, rounded up to
// whole seconds; SQS delays a message by 15 minutes at most.
func (q *Queue) SendAfter(ctx context.Context, key life.Key, d time.Duration) error {
	body := Encode(key)
	seconds := int32(math.Ceil(min(max(d, 0), maxDelay).Seconds()))
	if _, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body, DelaySeconds: seconds}); err != nil {
		return fmt.Errorf("sending message: %w", err)
	}
	return nil
}

// Delete deletes a received message. A message that is deleted already is no
// error.
func (q *Queue) Delete(ctx context.Context, receipt string) error {
	if _, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: &receipt}); err != nil {
		return fmt.Errorf("deleting message: %w", err)
	}
	return nil
}

// ChangeVisibility hides a received message for d from now, rounded up to whole
// seconds; 0 shows it at once.
func (q *Queue) ChangeVisibility(ctx context.Context, receipt string, d time.Duration) error {
	seconds := int32(math.Ceil(min(max(d, 0), maxVisibility).Seconds()))
	if _, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl:          &q.url,
		ReceiptHandle:     &receipt,
		VisibilityTimeout: seconds,
	}); err != nil {
		return fmt.Errorf("changing visibility: %w", err)
	}
	return nil
}
