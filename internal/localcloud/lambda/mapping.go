package lambda

import (
	"context"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Queue is what event source mappings need of the local SQS.
type Queue interface {
	// Receive waits up to o.Wait for at least one message; it returns none
	// when the wait ends, and early when ctx ends.
	Receive(ctx context.Context, queueARN string, o ReceiveOptions) ([]Message, error)
	// Delete deletes one received message.
	Delete(queueARN, receiptHandle string) error
	// VisibilityTimeout returns the queue's own.
	VisibilityTimeout(queueARN string) (time.Duration, error)
}

// ReceiveOptions are those of ReceiveMessage.
type ReceiveOptions struct {
	Max        int           // 1–10
	Wait       time.Duration // 0–20 s
	Visibility time.Duration // 0: the queue's own
}

// Message is one received message.
type Message struct {
	ID            string
	ReceiptHandle string
	Body          string
	MD5OfBody     string
	// Attributes are the system attributes, all of them: SentTimestamp,
	// ApproximateReceiveCount, SenderId, AWSTraceHeader and so on.
	Attributes        map[string]string
	MessageAttributes map[string]MessageAttribute
}

// MessageAttribute is one attribute that the sender set.
type MessageAttribute struct {
	DataType    string
	StringValue string
	BinaryValue []byte
}

// MappingSpec declares an event source mapping from a queue to a function.
type MappingSpec struct {
	QueueARN               string
	Function               string        // name or ARN
	BatchSize              int           // 1–10,000; default 10; above 10 needs a window
	BatchingWindow         time.Duration // 0–300 s, whole seconds
	MaximumConcurrency     int           // 2–1,000; 0: the account's
	ReportBatchItemFailure bool          // FunctionResponseTypes holds ReportBatchItemFailures
	Disabled               bool
}

// MappingOptions are what Mappings need.
type MappingOptions struct {
	Queue     Queue
	Functions MappedFunctions
	Guard     awsapi.Guard                                                // nil admits all
	Authorize func(accessKeyID string, p awsapi.Permission) *awsapi.Error // nil allows all
}

// MappedFunctions is what mappings need to know of functions.
type MappedFunctions interface {
	// Describe returns the function's ARN, time-out and the access key of its role.
	Describe(nameOrARN string) (FunctionInfo, error)
	Invoke(ctx context.Context, functionARN string, payload []byte) (Result, error)
}

// FunctionInfo is what a mapping needs to know of its function.
type FunctionInfo struct {
	ARN         string
	Timeout     time.Duration
	AccessKeyID string // of the role
}
