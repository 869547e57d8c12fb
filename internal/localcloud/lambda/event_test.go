package lambda_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
)

func TestSQSEventIsWhatFunctionsExpect(t *testing.T) {
	t.Parallel()
	queue := newFakeQueue()
	queue.waiting = []lambda.Message{{
		ID: "id", ReceiptHandle: "receipt", Body: "<b>", MD5OfBody: "md5",
		Attributes:        map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "17", "AWSTraceHeader": "Root=1"},
		MessageAttributes: map[string]lambda.MessageAttribute{"s": {DataType: "String", StringValue: "v"}, "b": {DataType: "Binary", BinaryValue: []byte{1}}},
	}}
	functions := &fakeFunctions{}
	mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions})
	if _, err := mappings.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: queueARN, Function: "f"}); err != nil {
		t.Fatal(err)
	}
	for len(queue.gone()) == 0 {
		time.Sleep(time.Millisecond)
	}
	mappings.Close()
	var event events.SQSEvent
	if err := json.Unmarshal(functions.events[0], &event); err != nil {
		t.Fatal(err)
	}
	r := event.Records[0]
	if r.MessageId != "id" || r.ReceiptHandle != "receipt" || r.Body != "<b>" || r.Md5OfBody != "md5" ||
		r.EventSource != "aws:sqs" || r.EventSourceARN != queueARN || r.AWSRegion != awsapi.Region ||
		r.Attributes["ApproximateReceiveCount"] != "1" || r.Attributes["AWSTraceHeader"] != "Root=1" ||
		*r.MessageAttributes["s"].StringValue != "v" || r.MessageAttributes["b"].BinaryValue[0] != 1 {
		t.Errorf("record = %+v", r)
	}
}

// localQueue is the local SQS as mappings poll it.
type localQueue struct{ *sqs.Service }

func (q localQueue) Receive(ctx context.Context, arn string, o lambda.ReceiveOptions) ([]lambda.Message, error) {
	received, err := q.Service.Receive(ctx, arn, sqs.ReceiveOptions(o))
	messages := make([]lambda.Message, len(received))
	for i, m := range received {
		messages[i] = lambda.Message{ID: m.ID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, MD5OfBody: m.MD5OfBody, Attributes: m.Attributes}
	}
	return messages, err
}

// BenchmarkQueueToFunction is the time from a send to the deletion of the
// message that a warm function worked.
func BenchmarkQueueToFunction(b *testing.B) {
	queues := sqs.New(awsapi.Open{})
	_, arn, err := queues.CreateQueue(sqs.Spec{Name: "q", Attributes: map[string]string{"VisibilityTimeout": "60"}})
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{}, 1)
	s := newService(b, func(o *lambda.Options) {
		o.Queue = localQueue{queues}
		o.Meter = func(lambda.Invocation) { done <- struct{}{} }
	})
	newFunction(b, s)
	if _, err := s.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: arn, Function: "f"}); err != nil {
		b.Fatal(err)
	}
	invoke(b, s, `{"do":"echo"}`)
	<-done
	for b.Loop() {
		if err := queues.Send(arn, "x"); err != nil {
			b.Fatal(err)
		}
		<-done
	}
}
