package sqs_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
)

// half is the attributes of a queue that hides a message for half a minute.
var half = map[string]string{"VisibilityTimeout": "30"}

// restarted returns the queues as another run of the cloud restores them.
func (q queues) restarted(attributes map[string]string) queues {
	q.t.Helper()
	text, err := json.Marshal(q.service.Snapshot())
	if err != nil {
		q.t.Fatal(err)
	}
	var saved sqs.Snapshot
	if err := json.Unmarshal(text, &saved); err != nil {
		q.t.Fatal(err)
	}
	service := sqs.New(awsapi.Open{})
	for _, spec := range []sqs.Spec{{Name: "dead"}, {Name: "jobs", Attributes: attributes}} {
		if _, _, err := service.CreateQueue(spec); err != nil {
			q.t.Fatal(err)
		}
	}
	if dropped := service.Restore(saved); len(dropped) > 0 {
		q.t.Errorf("queues %v were dropped", dropped)
	}
	return queues{q.t, service, q.jobs, q.dead}
}

// TestMessagesOutliveARestart restarts with a message that waits, one in flight
// and one delayed: each is seen again when it would have been.
func TestMessagesOutliveARestart(t *testing.T) {
	t.Parallel()
	within(t, half, func(t *testing.T, q queues) {
		q.send("flying")
		first := q.want(q.jobs, 0, "flying")[0]
		if err := q.service.SetAttributes(q.jobs, map[string]string{"DelaySeconds": "20"}); err != nil {
			t.Fatal(err)
		}
		q.send("delayed")
		if err := q.service.SetAttributes(q.jobs, map[string]string{"DelaySeconds": "0"}); err != nil {
			t.Fatal(err)
		}
		q.send("waiting")
		q.send("second")

		time.Sleep(10 * time.Second)
		again := q.restarted(half)
		again.want(again.jobs, 0, "waiting second")
		time.Sleep(9 * time.Second)
		again.want(again.jobs, 0, "")
		time.Sleep(time.Second)
		again.want(again.jobs, 0, "delayed")
		time.Sleep(9 * time.Second)
		again.want(again.jobs, 0, "")
		time.Sleep(time.Second)
		second := again.want(again.jobs, 0, "flying")[0]
		if second.ID != first.ID || second.MD5OfBody != first.MD5OfBody {
			t.Errorf("got %+v after the restart, want the message of before it, %+v", second, first)
		}
		for name, want := range map[string]string{
			"ApproximateReceiveCount": "2", "SentTimestamp": first.Attributes["SentTimestamp"], "SenderId": "local",
			"ApproximateFirstReceiveTimestamp": first.Attributes["ApproximateFirstReceiveTimestamp"],
		} {
			if got := second.Attributes[name]; got != want {
				t.Errorf("%s is %q after the restart, want %q", name, got, want)
			}
		}
	})
}

// TestReceiptHandlesOutliveARestart deletes by the handle of before it.
func TestReceiptHandlesOutliveARestart(t *testing.T) {
	t.Parallel()
	within(t, half, func(t *testing.T, q queues) {
		q.send("a")
		handle := q.want(q.jobs, 0, "a")[0].ReceiptHandle
		again := q.restarted(half)
		if err := again.service.Delete(again.jobs, handle); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		again.want(again.jobs, 0, "")
	})
}

// TestDuplicatesOutliveARestart keeps a second delivery apart from the message
// that it is of.
func TestDuplicatesOutliveARestart(t *testing.T) {
	t.Parallel()
	within(t, half, func(t *testing.T, q queues) {
		q.send("a")
		twins := q.want(q.jobs, 0, "a a")
		again := q.restarted(half)
		if err := again.service.Delete(again.jobs, twins[0].ReceiptHandle); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		again.want(again.jobs, 0, "a")
		if err := again.service.Delete(again.jobs, twins[1].ReceiptHandle); err != nil {
			t.Errorf("deleting the duplicate by the handle of its first delivery: %v", err)
		}
	}, sqs.WithFaults(&once{}))
}

// once lets the first delivery happen twice.
type once struct{ done bool }

func (o *once) LoseMessage() bool  { return false }
func (o *once) EarlyMessage() bool { return false }
func (o *once) DuplicateMessage() bool {
	first := !o.done
	o.done = true
	return first
}
func (o *once) ReorderMessage() bool { return false }

// TestDeadLettersOutliveARestart counts deliveries on over a restart, and keeps
// in the dead-letter queue where a message comes from.
func TestDeadLettersOutliveARestart(t *testing.T) {
	t.Parallel()
	redriven := map[string]string{"VisibilityTimeout": "30", "RedrivePolicy": redriveTo}
	within(t, redriven, func(t *testing.T, q queues) {
		q.send("a")
		q.want(q.jobs, 0, "a")
		q = q.restarted(redriven)
		time.Sleep(30 * time.Second)
		q.want(q.jobs, 0, "a") // the second and last
		time.Sleep(30 * time.Second)
		q = q.restarted(redriven)
		q.want(q.jobs, 0, "")
		q = q.restarted(redriven)
		letter := q.want(q.dead, 0, "a")
		if len(letter) == 1 && letter[0].Attributes["DeadLetterQueueSourceArn"] != q.jobs {
			t.Errorf("the dead letter has attributes %v, want source %s", letter[0].Attributes, q.jobs)
		}
	})
}

func TestRestoreNamesWhatItDrops(t *testing.T) {
	t.Parallel()
	service := sqs.New(awsapi.Open{})
	dropped := service.Restore(sqs.Snapshot{"gone": {{ID: "1", Body: "a"}}, "empty": nil, "also": {{ID: "2", Body: "b"}}})
	if want := []string{"also", "gone"}; !slices.Equal(dropped, want) {
		t.Errorf("got dropped %v, want %v", dropped, want)
	}
}

// TestChangesTellOfASnapshot expects every change of messages to be seen.
func TestChangesTellOfASnapshot(t *testing.T) {
	t.Parallel()
	within(t, half, func(t *testing.T, q queues) {
		var handle string
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"send", func() error { return q.service.Send(q.jobs, "a") }},
			{"receive", func() error { handle = q.want(q.jobs, 0, "a")[0].ReceiptHandle; return nil }},
			{"change visibility", func() error { return q.service.ChangeVisibility(q.jobs, handle, time.Minute) }},
			{"delete", func() error { return q.service.Delete(q.jobs, handle) }},
			{"restore", func() error { q.service.Restore(sqs.Snapshot{"jobs": {{ID: "1", Body: "b"}}}); return nil }},
		} {
			before := q.service.Changes()
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if q.service.Changes() == before {
				t.Errorf("%s is no change", step.name)
			}
		}
		before := q.service.Changes()
		q.want(q.dead, 0, "")
		if q.service.Changes() != before {
			t.Error("an empty receive is a change")
		}
	})
}
