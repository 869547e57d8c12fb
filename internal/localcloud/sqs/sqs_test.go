package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
)

// newQueue returns a client, and the URL of a queue with attributes.
func newQueue(t testing.TB, attributes map[string]string) (*sdk.Client, string) {
	t.Helper()
	service := sqs.New(awsapi.Open{})
	url, arn, err := service.CreateQueue(sqs.Spec{Name: "jobs", Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	if want := "arn:aws:sqs:us-east-1:000000000000:jobs"; arn != want {
		t.Fatalf("got ARN %s, want %s", arn, want)
	}
	return clientOf(t, service), url
}

func clientOf(t testing.TB, service *sqs.Service) *sdk.Client {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func send(t testing.TB, client *sdk.Client, url, body string) *sdk.SendMessageOutput {
	t.Helper()
	out, err := client.SendMessage(context.Background(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: &body})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func receive(t testing.TB, client *sdk.Client, url string) []types.Message {
	t.Helper()
	out, err := client.ReceiveMessage(context.Background(), &sdk.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

// TestSendAndReceive checks the MD5s of body and attributes through the SDK,
// which verifies that of the body, and by value.
func TestSendAndReceive(t *testing.T) {
	t.Parallel()
	client, url := newQueue(t, nil)
	sent, err := client.SendMessage(context.Background(), &sdk.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String(`{"v":1,"text":"grüße <&>"}`), MessageGroupId: aws.String("u1"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"test_attribute_name_1": {DataType: aws.String("String"), StringValue: aws.String("test_attribute_value_1")},
			"raw":                   {DataType: aws.String("Binary"), BinaryValue: []byte{1, 2}},
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	messages := receive(t, client, url)
	if len(messages) != 1 {
		t.Fatalf("got %d messages, want 1", len(messages))
	}
	got := messages[0]
	if *got.Body != `{"v":1,"text":"grüße <&>"}` || *got.MessageId != *sent.MessageId || *got.MD5OfBody != *sent.MD5OfMessageBody {
		t.Errorf("got %+v", got)
	}
	if *got.MD5OfMessageAttributes != *sent.MD5OfMessageAttributes || len(got.MessageAttributes) != 2 {
		t.Errorf("got attributes %v with MD5 %s, want MD5 %s", got.MessageAttributes, *got.MD5OfMessageAttributes, *sent.MD5OfMessageAttributes)
	}
	for name, want := range map[string]string{"ApproximateReceiveCount": "1", "AWSTraceHeader": "Root=1", "MessageGroupId": "u1", "SenderId": "local"} {
		if got.Attributes[name] != want {
			t.Errorf("attribute %s: got %q, want %q", name, got.Attributes[name], want)
		}
	}
	if more := receive(t, client, url); len(more) != 0 {
		t.Errorf("a message in flight was delivered again: %v", more)
	}
}

func TestRefusedMessages(t *testing.T) {
	t.Parallel()
	client, url := newQueue(t, map[string]string{"MaximumMessageSize": "2048"})
	text := func(value string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	tests := []struct {
		name string
		in   sdk.SendMessageInput
		want string // code
	}{
		{"largest", sdk.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 2048))}, ""},
		{"too large", sdk.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 2049))}, "InvalidParameterValue"},
		{"too large with attributes", sdk.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 2040)), MessageAttributes: map[string]types.MessageAttributeValue{"name": text("value")}}, "InvalidParameterValue"},
		{"forbidden character", sdk.SendMessageInput{MessageBody: aws.String("a\x00b")}, "InvalidMessageContents"},
		{"forbidden non-character", sdk.SendMessageInput{MessageBody: aws.String("a\uffff")}, "InvalidMessageContents"},
		{"allowed white space", sdk.SendMessageInput{MessageBody: aws.String("a\t\r\nb")}, ""},
		{"empty", sdk.SendMessageInput{MessageBody: aws.String("")}, "MissingParameter"},
		{"long delay", sdk.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: 901}, "InvalidParameterValue"},
		{"FIFO parameter", sdk.SendMessageInput{MessageBody: aws.String("x"), MessageDeduplicationId: aws.String("d")}, "InvalidParameterValue"},
		{"unknown type", sdk.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{"n": {DataType: aws.String("Text"), StringValue: aws.String("x")}}}, "InvalidParameterValue"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.in.QueueUrl = &url
			_, err := client.SendMessage(context.Background(), &test.in)
			wantCode(t, err, test.want)
		})
	}
}

func wantCode(t testing.TB, err error, want string) {
	t.Helper()
	var failure smithy.APIError
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want success", err)
	case want != "" && (!errors.As(err, &failure) || failure.ErrorCode() != want):
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestMissingQueue(t *testing.T) {
	t.Parallel()
	client, url := newQueue(t, nil)
	_, err := client.SendMessage(context.Background(), &sdk.SendMessageInput{QueueUrl: aws.String(url + "x"), MessageBody: aws.String("x")})
	wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue")
	_, err = client.GetQueueUrl(context.Background(), &sdk.GetQueueUrlInput{QueueName: aws.String("other")})
	if _, ok := errors.AsType[*types.QueueDoesNotExist](err); !ok {
		t.Errorf("got %v, want QueueDoesNotExist", err)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	client, url := newQueue(t, nil)
	ctx := context.Background()
	entry := func(id, body string) types.SendMessageBatchRequestEntry {
		return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
	}
	sent, err := client.SendMessageBatch(ctx, &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{entry("a", "1"), entry("b", "\x01"), entry("c", "3")}})
	if err != nil {
		t.Fatal(err)
	}
	if len(sent.Successful) != 2 || len(sent.Failed) != 1 || *sent.Failed[0].Id != "b" || *sent.Failed[0].Code != "InvalidMessageContents" || !sent.Failed[0].SenderFault {
		t.Errorf("got %+v", sent)
	}
	messages := receive(t, client, url)
	if len(messages) != 2 {
		t.Fatalf("got %d messages, want 2", len(messages))
	}
	changed, err := client.ChangeMessageVisibilityBatch(ctx, &sdk.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: messages[0].ReceiptHandle, VisibilityTimeout: 0},
		{Id: aws.String("b"), ReceiptHandle: aws.String("garbage"), VisibilityTimeout: 0},
	}})
	if err != nil || len(changed.Successful) != 1 || len(changed.Failed) != 1 || *changed.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("got %+v and %v", changed, err)
	}
	deleted, err := client.DeleteMessageBatch(ctx, &sdk.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: messages[0].ReceiptHandle}, {Id: aws.String("b"), ReceiptHandle: messages[1].ReceiptHandle},
	}})
	if err != nil || len(deleted.Successful) != 2 {
		t.Errorf("got %+v and %v", deleted, err)
	}
	var eleven []types.SendMessageBatchRequestEntry
	for i := range 11 {
		eleven = append(eleven, entry(fmt.Sprint(i), "x"))
	}
	half := strings.Repeat("x", 600<<10)
	for want, entries := range map[string][]types.SendMessageBatchRequestEntry{
		"AWS.SimpleQueueService.EmptyBatchRequest":            {},
		"AWS.SimpleQueueService.TooManyEntriesInBatchRequest": eleven,
		"AWS.SimpleQueueService.BatchEntryIdsNotDistinct":     {entry("a", "1"), entry("a", "2")},
		"AWS.SimpleQueueService.InvalidBatchEntryId":          {entry("a b", "1")},
		"AWS.SimpleQueueService.BatchRequestTooLong":          {entry("a", half), entry("b", half)},
	} {
		_, err := client.SendMessageBatch(ctx, &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
		wantCode(t, err, want)
	}
}

func TestQueueOperations(t *testing.T) {
	t.Parallel()
	client, _ := newQueue(t, nil)
	ctx := context.Background()
	created, err := client.CreateQueue(ctx, &sdk.CreateQueueInput{QueueName: aws.String("mine"), Attributes: map[string]string{"VisibilityTimeout": "7"}, Tags: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	url := *created.QueueUrl
	_, err = client.CreateQueue(ctx, &sdk.CreateQueueInput{QueueName: aws.String("mine"), Attributes: map[string]string{"VisibilityTimeout": "8"}})
	wantCode(t, err, "QueueAlreadyExists")
	_, err = client.CreateQueue(ctx, &sdk.CreateQueueInput{QueueName: aws.String("mine.fifo")})
	wantCode(t, err, "AWS.SimpleQueueService.UnsupportedOperation")
	listed, err := client.ListQueues(ctx, &sdk.ListQueuesInput{QueueNamePrefix: aws.String("mi")})
	if err != nil || len(listed.QueueUrls) != 1 || listed.QueueUrls[0] != url {
		t.Errorf("got %+v and %v", listed, err)
	}
	_, err = client.SetQueueAttributes(ctx, &sdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{
		"DelaySeconds": "0", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:jobs","maxReceiveCount":"3"}`,
	}})
	wantCode(t, err, "")
	for name, value := range map[string]string{"VisibilityTimeout": "43201", "MaximumMessageSize": "1", "MessageRetentionPeriod": "x"} {
		_, err = client.SetQueueAttributes(ctx, &sdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{name: value}})
		wantCode(t, err, "InvalidAttributeValue")
	}
	_, err = client.SetQueueAttributes(ctx, &sdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Colour": "blue"}})
	wantCode(t, err, "InvalidAttributeName")
	send(t, client, url, "x")
	shown, err := client.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"VisibilityTimeout": "7", "ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "0", "MaximumMessageSize": "1048576",
		"QueueArn": "arn:aws:sqs:us-east-1:000000000000:mine", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:jobs","maxReceiveCount":3}`,
	} {
		if shown.Attributes[name] != want {
			t.Errorf("attribute %s: got %q, want %q", name, shown.Attributes[name], want)
		}
	}
	sources, err := client.ListDeadLetterSourceQueues(ctx, &sdk.ListDeadLetterSourceQueuesInput{QueueUrl: aws.String(strings.Replace(url, "mine", "jobs", 1))})
	if err != nil || len(sources.QueueUrls) != 1 {
		t.Errorf("got %+v and %v", sources, err)
	}
	if _, err := client.PurgeQueue(ctx, &sdk.PurgeQueueInput{QueueUrl: &url}); err != nil {
		t.Error(err)
	}
	if left := receive(t, client, url); len(left) != 0 {
		t.Errorf("got %v after a purge", left)
	}
	if _, err := client.DeleteQueue(ctx, &sdk.DeleteQueueInput{QueueUrl: &url}); err != nil {
		t.Error(err)
	}
	_, err = client.PurgeQueue(ctx, &sdk.PurgeQueueInput{QueueUrl: &url})
	wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue")
}

// recorder is a guard that keeps the last call and answers as its fields say.
type recorder struct {
	mu      sync.Mutex
	last    awsapi.Call
	refusal *awsapi.Error
	lose    bool
}

func (r *recorder) Admit(_ context.Context, call awsapi.Call) (bool, *awsapi.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = call
	return r.lose, r.refusal
}

func (r *recorder) call() awsapi.Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *recorder) answer(lose bool, refusal *awsapi.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lose, r.refusal = lose, refusal
}

func TestGuardedCalls(t *testing.T) {
	t.Parallel()
	guard := &recorder{}
	service := sqs.New(guard)
	url, arn, err := service.CreateQueue(sqs.Spec{Name: "jobs"})
	if err != nil {
		t.Fatal(err)
	}
	client := clientOf(t, service)
	send(t, client, url, `{"requestId":"abc"}`)
	message := receive(t, client, url)[0]
	if _, err := client.DeleteMessage(context.Background(), &sdk.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: message.ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	call := guard.call()
	if call.Operation != "DeleteMessage" || call.AccessKeyID != "local" || call.Permissions[0].Action != "sqs:DeleteMessage" || call.Permissions[0].Resource != arn {
		t.Errorf("got %+v", call)
	}
	if !strings.Contains(string(call.Body), `"requestId":"abc"`) {
		t.Errorf("got body %s, want the message's beside it", call.Body)
	}
	_, err = client.SendMessageBatch(context.Background(), &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("x")}}})
	if got := guard.call().Permissions[0].Action; err != nil || got != "sqs:SendMessage" {
		t.Errorf("a batch needs %s (%v), want sqs:SendMessage", got, err)
	}
	guard.answer(true, nil)
	if _, err := client.SendMessage(context.Background(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("kept")}); err == nil {
		t.Error("want a lost connection")
	}
	guard.answer(false, nil)
	if got := receive(t, client, url); len(got) != 2 {
		t.Errorf("got %d messages, want the one of the lost answer too", len(got))
	}
	guard.answer(false, &awsapi.Error{Status: 403, Code: "AccessDeniedException", QueryCode: "AccessDenied", Message: "no"})
	_, err = client.SendMessage(context.Background(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
	wantCode(t, err, "AccessDenied")
}
