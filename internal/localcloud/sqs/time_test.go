package sqs_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
)

// within runs a test of two queues, jobs and its dead-letter queue, in fake time.
func within(t *testing.T, attributes map[string]string, test func(t *testing.T, q queues), options ...sqs.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		service := sqs.New(awsapi.Open{}, options...)
		_, dead, err := service.CreateQueue(sqs.Spec{Name: "dead"})
		if err != nil {
			t.Fatal(err)
		}
		_, jobs, err := service.CreateQueue(sqs.Spec{Name: "jobs", Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		test(t, queues{t, service, jobs, dead})
	})
}

type queues struct {
	t          *testing.T
	service    *sqs.Service
	jobs, dead string // ARNs
}

func (q queues) send(body string) {
	q.t.Helper()
	if err := q.service.Send(q.jobs, body); err != nil {
		q.t.Fatal(err)
	}
}

// receive polls and returns the messages and their bodies, joined.
func (q queues) receive(arn string, wait time.Duration) ([]sqs.Message, string) {
	q.t.Helper()
	messages, err := q.service.Receive(context.Background(), arn, sqs.ReceiveOptions{Max: 10, Wait: wait})
	if err != nil {
		q.t.Fatal(err)
	}
	var bodies []string
	for _, m := range messages {
		bodies = append(bodies, m.Body)
	}
	return messages, strings.Join(bodies, " ")
}

func (q queues) want(arn string, wait time.Duration, want string) []sqs.Message {
	q.t.Helper()
	messages, got := q.receive(arn, wait)
	if got != want {
		q.t.Errorf("got messages %q, want %q", got, want)
	}
	return messages
}

func TestVisibility(t *testing.T) {
	t.Parallel()
	within(t, map[string]string{"VisibilityTimeout": "30"}, func(t *testing.T, q queues) {
		q.send("a")
		first := q.want(q.jobs, 0, "a")[0]
		time.Sleep(29 * time.Second)
		q.want(q.jobs, 0, "")
		if err := q.service.ChangeVisibility(q.jobs, first.ReceiptHandle, 45*time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(44 * time.Second)
		q.want(q.jobs, 0, "")
		time.Sleep(time.Second)
		if err := q.service.ChangeVisibility(q.jobs, first.ReceiptHandle, time.Second); err == nil || !strings.Contains(err.Error(), "MessageNotInflight") {
			t.Errorf("got %v, want MessageNotInflight", err)
		}
		second := q.want(q.jobs, 0, "a")[0]
		if got := second.Attributes["ApproximateReceiveCount"]; got != "2" {
			t.Errorf("got receive count %s, want 2", got)
		}
		if err := q.service.Delete(q.jobs, first.ReceiptHandle); err != nil {
			t.Errorf("deleting by an old receipt handle: %v", err)
		}
		time.Sleep(30 * time.Second)
		third := q.want(q.jobs, 0, "a")[0]
		if err := q.service.ChangeVisibility(q.jobs, second.ReceiptHandle, 0); err == nil {
			t.Error("an old receipt handle changed the visibility")
		}
		time.Sleep(31 * time.Second)
		if err := q.service.Delete(q.jobs, third.ReceiptHandle); err != nil {
			t.Errorf("deleting by the last receipt handle after its time: %v", err)
		}
		q.want(q.jobs, 0, "")
	})
}

func TestHandBack(t *testing.T) {
	t.Parallel()
	within(t, nil, func(t *testing.T, q queues) {
		q.send("a")
		m := q.want(q.jobs, 0, "a")[0]
		if err := q.service.ChangeVisibility(q.jobs, m.ReceiptHandle, 0); err != nil {
			t.Fatal(err)
		}
		q.want(q.jobs, 0, "a")
	})
}

// TestLongPoll wakes a waiting receiver at once for a new message, for one whose
// visibility ends, and lets it go at the end of its wait or context.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	within(t, map[string]string{"VisibilityTimeout": "5"}, func(t *testing.T, q queues) {
		start := time.Now()
		go func() {
			time.Sleep(3 * time.Second)
			q.send("a")
		}()
		q.want(q.jobs, 20*time.Second, "a")
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("a new message came after %v, want 3s", took)
		}
		q.want(q.jobs, 20*time.Second, "a")
		if took := time.Since(start); took != 8*time.Second {
			t.Errorf("the message came again after %v, want 8s", took)
		}
		q.want(q.jobs, 2*time.Second, "")
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("an empty wait ended after %v, want 10s", took)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if messages, err := q.service.Receive(ctx, q.dead, sqs.ReceiveOptions{Wait: 20 * time.Second}); err != nil || len(messages) != 0 {
			t.Errorf("got %v and %v", messages, err)
		}
		if took := time.Since(start); took != 11*time.Second {
			t.Errorf("the receiver left after %v, want 11s", took)
		}
	})
}

const redriveTo = `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":2}`

// TestRedrive moves a message when its count would exceed maxReceiveCount, with
// its time of sending.
func TestRedrive(t *testing.T) {
	t.Parallel()
	within(t, map[string]string{"VisibilityTimeout": "10", "RedrivePolicy": redriveTo}, func(_ *testing.T, q queues) {
		q.send("a")
		sent := q.want(q.jobs, 0, "a")[0].Attributes["SentTimestamp"]
		q.want(q.jobs, 20*time.Second, "a")
		q.want(q.dead, 0, "")
		q.want(q.jobs, 20*time.Second, "")
		letter := q.want(q.dead, 0, "a")[0]
		if letter.Attributes["SentTimestamp"] != sent || letter.Attributes["DeadLetterQueueSourceArn"] != q.jobs {
			q.t.Errorf("got attributes %v, want SentTimestamp %s and the source", letter.Attributes, sent)
		}
		time.Sleep(345_600 * time.Second)
		q.want(q.dead, 0, "")
	})
}

func TestDelayAndRetention(t *testing.T) {
	t.Parallel()
	within(t, map[string]string{"DelaySeconds": "15", "MessageRetentionPeriod": "60"}, func(t *testing.T, q queues) {
		q.send("a")
		attributes, err := q.service.Attributes(q.jobs)
		if err != nil || attributes["ApproximateNumberOfMessagesDelayed"] != "1" {
			t.Errorf("got %v and %v, want one delayed message", attributes, err)
		}
		q.want(q.jobs, 14*time.Second, "")
		q.want(q.jobs, 2*time.Second, "a")
		time.Sleep(44 * time.Second)
		q.want(q.jobs, 0, "a")
		time.Sleep(time.Second)
		q.want(q.jobs, 40*time.Second, "")
	})
}

// faults answer as their fields say.
type faults struct{ lose, duplicate, early, reorder bool }

func (f faults) LoseMessage() bool      { return f.lose }
func (f faults) DuplicateMessage() bool { return f.duplicate }
func (f faults) EarlyMessage() bool     { return f.early }
func (f faults) ReorderMessage() bool   { return f.reorder }

func TestFaults(t *testing.T) {
	t.Parallel()
	t.Run("lost", func(t *testing.T) {
		t.Parallel()
		within(t, nil, func(_ *testing.T, q queues) {
			q.send("a")
			q.want(q.jobs, time.Minute, "")
		}, sqs.WithFaults(faults{lose: true}))
	})
	t.Run("duplicate survives the deletion of the first", func(t *testing.T) {
		t.Parallel()
		within(t, nil, func(t *testing.T, q queues) {
			q.send("a")
			messages := q.want(q.jobs, 0, "a a")
			if messages[0].ID != messages[1].ID || messages[0].ReceiptHandle == messages[1].ReceiptHandle {
				t.Errorf("got %v, want one id and two receipt handles", messages)
			}
			if err := q.service.Delete(q.jobs, messages[0].ReceiptHandle); err != nil {
				t.Fatal(err)
			}
			again := q.want(q.jobs, time.Minute, "a")[0]
			if err := q.service.Delete(q.jobs, again.ReceiptHandle); err != nil {
				t.Fatal(err)
			}
			q.want(q.jobs, time.Minute, "")
		}, sqs.WithFaults(faults{duplicate: true}))
	})
	t.Run("early", func(t *testing.T) {
		t.Parallel()
		within(t, map[string]string{"VisibilityTimeout": "30"}, func(_ *testing.T, q queues) {
			q.send("a")
			q.want(q.jobs, 0, "a")
			q.want(q.jobs, 7*time.Second, "a")
		}, sqs.WithFaults(faults{early: true}))
	})
	t.Run("reorder", func(t *testing.T) {
		t.Parallel()
		within(t, nil, func(_ *testing.T, q queues) {
			q.send("a")
			q.send("b")
			q.want(q.jobs, 0, "b a")
		}, sqs.WithFaults(faults{reorder: true}))
	})
}

func TestDeadLetterQueueGone(t *testing.T) {
	t.Parallel()
	within(t, map[string]string{"VisibilityTimeout": "1", "RedrivePolicy": redriveTo}, func(_ *testing.T, q queues) {
		q.service.DeleteQueue(q.dead)
		q.send("a")
		for range 5 {
			q.want(q.jobs, 2*time.Second, "a")
		}
	})
}
