package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
)

const id = "abcdefghijklmnopqrstuvwxyz"

func TestDecode(t *testing.T) {
	t.Parallel()
	key := life.Key{UserID: "u", RequestID: id}
	tests := []struct {
		name, body string
		readable   bool
	}{
		{"as encoded", queue.Encode(key), true},
		{"with a later field", `{"v":1,"userId":"u","requestId":"` + id + `","new":true}`, true},
		{"empty", "", false},
		{"not JSON", "hello", false},
		{"other version", `{"v":2,"userId":"u","requestId":"` + id + `"}`, false},
		{"no version", `{"userId":"u","requestId":"` + id + `"}`, false},
		{"no user", `{"v":1,"requestId":"` + id + `"}`, false},
		{"no request", `{"v":1,"userId":"u"}`, false},
		{"bad request", `{"v":1,"userId":"u","requestId":"../x"}`, false},
		{"two values", queue.Encode(key) + "{}", false},
		{"wrong type", `{"v":1,"userId":7,"requestId":"` + id + `"}`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := queue.Decode(test.body)
			if test.readable && (err != nil || got != key) {
				t.Errorf("Decode = %v, %v", got, err)
			}
			if !test.readable && !errors.Is(err, queue.ErrUnreadable) {
				t.Errorf("Decode = %v, %v", got, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(queue.Encode(life.Key{UserID: "u", RequestID: id}))
	f.Add(`{"v":1}`)
	f.Add(`{"v":1,"userId":"\u0000","requestId":"` + id + `"}`)
	f.Fuzz(func(t *testing.T, body string) {
		key, err := queue.Decode(body)
		if err != nil {
			if len(body) > 20 && strings.Contains(err.Error(), body) {
				t.Errorf("the error quotes the body: %v", err)
			}
			return
		}
		if again, err := queue.Decode(queue.Encode(key)); err != nil || again != key {
			t.Errorf("%q: %v is read back as %v, %v", body, key, again, err)
		}
	})
}

// fake records what is asked of SQS.
type fake struct {
	sent    *sqs.SendMessageInput
	deleted *sqs.DeleteMessageInput
	hidden  *sqs.ChangeMessageVisibilityInput
	err     error
}

func (f *fake) DeleteMessage(_ context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	f.deleted = in
	return nil, f.err
}

func (f *fake) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	f.sent = in
	return nil, f.err
}

func (f *fake) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	f.hidden = in
	return nil, f.err
}

func TestSend(t *testing.T) {
	t.Parallel()
	f := &fake{}
	q := queue.New(f, "https://sqs/1/main")
	if err := q.Send(t.Context(), life.Key{UserID: "u", RequestID: id}); err != nil {
		t.Fatal(err)
	}
	if *f.sent.QueueUrl != "https://sqs/1/main" || *f.sent.MessageBody != `{"v":1,"userId":"u","requestId":"`+id+`"}` {
		t.Errorf("sent %s to %s", *f.sent.MessageBody, *f.sent.QueueUrl)
	}
	f.err = errors.New("down")
	if err := q.Send(t.Context(), life.Key{}); !errors.Is(err, f.err) {
		t.Errorf("Send = %v", err)
	}
}

func TestSendAfter(t *testing.T) {
	t.Parallel()
	f := &fake{}
	q := queue.New(f, "https://sqs/1/main")
	for d, want := range map[time.Duration]int32{-time.Second: 0, 0: 0, time.Millisecond: 1, 40 * time.Second: 40, time.Hour: 900} {
		if err := q.SendAfter(t.Context(), life.Key{UserID: "u", RequestID: id}, d); err != nil || f.sent.DelaySeconds != want {
			t.Errorf("%v: delayed by %d, %v", d, f.sent.DelaySeconds, err)
		}
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	f := &fake{}
	q := queue.New(f, "https://sqs/1/main")
	if err := q.Delete(t.Context(), "receipt"); err != nil || *f.deleted.QueueUrl != "https://sqs/1/main" || *f.deleted.ReceiptHandle != "receipt" {
		t.Errorf("deleted %+v, %v", f.deleted, err)
	}
	f.err = errors.New("down")
	if err := q.Delete(t.Context(), "receipt"); !errors.Is(err, f.err) {
		t.Errorf("Delete = %v", err)
	}
}

func TestChangeVisibility(t *testing.T) {
	t.Parallel()
	f := &fake{}
	q := queue.New(f, "https://sqs/1/main")
	for d, want := range map[time.Duration]int32{-time.Second: 0, 0: 0, time.Millisecond: 1, 45 * time.Second: 45, 100 * time.Hour: 43200} {
		if err := q.ChangeVisibility(t.Context(), "receipt", d); err != nil || f.hidden.VisibilityTimeout != want || *f.hidden.ReceiptHandle != "receipt" {
			t.Errorf("%v: hidden for %d, %v", d, f.hidden.VisibilityTimeout, err)
		}
	}
}

func TestSentAt(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]time.Time{"1764288000123": time.UnixMilli(1_764_288_000_123), "": {}, "soon": {}} {
		message := events.SQSMessage{Attributes: map[string]string{"SentTimestamp": sent}}
		if got := queue.SentAt(message); !got.Equal(want) {
			t.Errorf("a message of %q was sent at %s, want %s", sent, got, want)
		}
	}
}
