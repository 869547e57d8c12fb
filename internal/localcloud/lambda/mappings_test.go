package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

const queueARN = "arn:aws:sqs:us-east-1:000000000000:q"

// fakeQueue hands out each message once and notes what is deleted.
type fakeQueue struct {
	visibility time.Duration

	mu       sync.Mutex
	waiting  []lambda.Message
	deleted  []string
	receives []lambda.ReceiveOptions
	arrived  chan struct{}
}

func newFakeQueue(ids ...string) *fakeQueue {
	q := &fakeQueue{visibility: 30 * time.Second, arrived: make(chan struct{}, 1)}
	q.send(ids...)
	return q
}

func (q *fakeQueue) send(ids ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range ids {
		q.waiting = append(q.waiting, lambda.Message{ID: id, ReceiptHandle: "receipt-" + id, Body: "body-" + id})
	}
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

func (q *fakeQueue) Receive(ctx context.Context, arn string, o lambda.ReceiveOptions) ([]lambda.Message, error) {
	q.mu.Lock()
	q.receives = append(q.receives, o)
	q.mu.Unlock()
	end := time.After(o.Wait)
	for {
		q.mu.Lock()
		if n := min(o.Max, len(q.waiting)); n > 0 {
			taken := q.waiting[:n:n]
			q.waiting = q.waiting[n:]
			q.mu.Unlock()
			return taken, nil
		}
		q.mu.Unlock()
		select {
		case <-q.arrived:
		case <-end:
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

func (q *fakeQueue) Delete(_, receipt string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deleted = append(q.deleted, strings.TrimPrefix(receipt, "receipt-"))
	return nil
}

func (q *fakeQueue) VisibilityTimeout(arn string) (time.Duration, error) {
	if arn != queueARN {
		return 0, fmt.Errorf("no queue %s", arn)
	}
	return q.visibility, nil
}

func (q *fakeQueue) gone() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Sorted(slices.Values(q.deleted))
}

// fakeFunctions is one function.
type fakeFunctions struct {
	timeout time.Duration
	invoke  func(ids []string) (lambda.Result, error)

	mu      sync.Mutex
	batches [][]string
	events  [][]byte
}

func (f *fakeFunctions) Describe(string) (lambda.FunctionInfo, error) {
	return lambda.FunctionInfo{ARN: lambda.FunctionARN("f"), Timeout: f.timeout, AccessKeyID: "key"}, nil
}

func (f *fakeFunctions) Invoke(_ context.Context, _ string, payload []byte) (lambda.Result, error) {
	var event struct {
		Records []struct {
			MessageID string `json:"messageId"`
		} `json:"Records"`
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return lambda.Result{}, err
	}
	var ids []string
	for _, r := range event.Records {
		ids = append(ids, r.MessageID)
	}
	f.mu.Lock()
	f.batches, f.events = append(f.batches, ids), append(f.events, payload)
	f.mu.Unlock()
	if f.invoke == nil {
		return lambda.Result{}, nil
	}
	return f.invoke(ids)
}

func (f *fakeFunctions) worked() [][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.batches)
}

func TestWhatABatchResponseDeletes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		report        bool
		response      string
		functionError string
		want          string
	}{
		{"no report: the list is ignored", false, `{"batchItemFailures":[{"itemIdentifier":"a"}]}`, "", "a b c"},
		{"no report: failure", false, `{}`, "Unhandled", ""},
		{"one failed", true, `{"batchItemFailures":[{"itemIdentifier":"b"}]}`, "", "a c"},
		{"one failed twice", true, `{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}`, "", "a c"},
		{"all failed", true, `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}`, "", ""},
		{"empty list", true, `{"batchItemFailures":[]}`, "", "a b c"},
		{"null list", true, `{"batchItemFailures":null}`, "", "a b c"},
		{"empty object", true, `{}`, "", "a b c"},
		{"null", true, `null`, "", "a b c"},
		{"nothing", true, ``, "", "a b c"},
		{"not JSON", true, `{"batchItemFailures":[`, "", ""},
		{"not an object", true, `"fine"`, "", ""},
		{"empty identifier", true, `{"batchItemFailures":[{"itemIdentifier":""}]}`, "", ""},
		{"null identifier", true, `{"batchItemFailures":[{"itemIdentifier":null}]}`, "", ""},
		{"identifier of a wrong name", true, `{"batchItemFailures":[{"ItemIdentifier":"a"}]}`, "", ""},
		{"identifier of a wrong type", true, `{"batchItemFailures":[{"itemIdentifier":7}]}`, "", ""},
		{"list of a wrong name", true, `{"batchItemFailure":[]}`, "", ""},
		{"unknown id", true, `{"batchItemFailures":[{"itemIdentifier":"x"}]}`, "", ""},
		{"function failed", true, `{"errorType":"x"}`, "Unhandled", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				queue := newFakeQueue("a", "b", "c")
				functions := &fakeFunctions{invoke: func([]string) (lambda.Result, error) {
					return lambda.Result{Payload: []byte(test.response), FunctionError: test.functionError}, nil
				}}
				mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions})
				defer mappings.Close()
				if _, err := mappings.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: queueARN, Function: "f", ReportBatchItemFailure: test.report}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := strings.Join(queue.gone(), " "); got != test.want {
					t.Errorf("deleted %q, want %q", got, test.want)
				}
				if got := functions.worked(); len(got) != 1 || len(got[0]) != 3 {
					t.Errorf("batches = %v", got)
				}
			})
		})
	}
}

func TestRefusedMappings(t *testing.T) {
	t.Parallel()
	valid := lambda.MappingSpec{QueueARN: queueARN, Function: "f"}
	tests := []struct {
		name    string
		change  func(*lambda.MappingSpec)
		missing string
		timeout time.Duration
		want    string
	}{
		{"visibility shorter than the time-out", func(*lambda.MappingSpec) {}, "", 31 * time.Second, "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds"},
		{"no ReceiveMessage", func(*lambda.MappingSpec) {}, "sqs:ReceiveMessage", time.Second, "does not have permissions to call ReceiveMessage"},
		{"no DeleteMessage", func(*lambda.MappingSpec) {}, "sqs:DeleteMessage", time.Second, "does not have permissions to call DeleteMessage"},
		{"no GetQueueAttributes", func(*lambda.MappingSpec) {}, "sqs:GetQueueAttributes", time.Second, "does not have permissions to call GetQueueAttributes"},
		{"batch of 11 without a window", func(s *lambda.MappingSpec) { s.BatchSize = 11 }, "", time.Second, "batch window"},
		{"batch too large", func(s *lambda.MappingSpec) { s.BatchSize = 10001 }, "", time.Second, "Batch size"},
		{"window too long", func(s *lambda.MappingSpec) { s.BatchingWindow = 301 * time.Second }, "", time.Second, "window"},
		{"window in milliseconds", func(s *lambda.MappingSpec) { s.BatchingWindow = 1500 * time.Millisecond }, "", time.Second, "window"},
		{"concurrency 1", func(s *lambda.MappingSpec) { s.MaximumConcurrency = 1 }, "", time.Second, "MaximumConcurrency"},
		{"concurrency 1001", func(s *lambda.MappingSpec) { s.MaximumConcurrency = 1001 }, "", time.Second, "MaximumConcurrency"},
		{"not a queue", func(s *lambda.MappingSpec) { s.QueueARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s" }, "", time.Second, "SQS"},
		{"no such queue", func(s *lambda.MappingSpec) { s.QueueARN += "2" }, "", time.Second, "no queue"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mappings := lambda.NewMappings(lambda.MappingOptions{
				Queue: newFakeQueue(), Functions: &fakeFunctions{timeout: test.timeout},
				Authorize: func(key string, p awsapi.Permission) *awsapi.Error {
					if key != "key" || !strings.HasPrefix(p.Resource, "arn:aws:") {
						t.Errorf("asked about %q, %+v", key, p)
					}
					if p.Action == test.missing {
						return awsapi.AccessDenied("r", p.Action, p.Resource)
					}
					return nil
				},
			})
			defer mappings.Close()
			spec := valid
			test.change(&spec)
			_, err := mappings.CreateEventSourceMapping(spec)
			if err == nil || !strings.Contains(err.Error(), test.want) || codeOf(err) != "InvalidParameterValueException" {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
}

func TestMappingsOfOneQueueAndFunctionConflict(t *testing.T) {
	t.Parallel()
	mappings := lambda.NewMappings(lambda.MappingOptions{Queue: newFakeQueue(), Functions: &fakeFunctions{}})
	defer mappings.Close()
	spec := lambda.MappingSpec{QueueARN: queueARN, Function: "f"}
	id, err := mappings.CreateEventSourceMapping(spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mappings.CreateEventSourceMapping(spec); codeOf(err) != "ResourceConflictException" {
		t.Errorf("second mapping: %v", err)
	}
	if err := mappings.DeleteEventSourceMapping(id); err != nil {
		t.Fatal(err)
	}
	if err := mappings.DeleteEventSourceMapping(id); codeOf(err) != "ResourceNotFoundException" {
		t.Errorf("second deletion: %v", err)
	}
}

func TestMaximumConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := newFakeQueue("a", "b", "c", "d", "e")
		functions := &fakeFunctions{invoke: func([]string) (lambda.Result, error) {
			time.Sleep(time.Second)
			return lambda.Result{}, nil
		}}
		mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions})
		defer mappings.Close()
		if _, err := mappings.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: queueARN, Function: "f", BatchSize: 1, MaximumConcurrency: 2}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{2, 4, 5} {
			time.Sleep(500 * time.Millisecond)
			if got := len(functions.worked()); got != want {
				t.Errorf("%d batches begun, want %d", got, want)
			}
			time.Sleep(500 * time.Millisecond)
		}
	})
}

func TestBatchingWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := newFakeQueue("a")
		functions := &fakeFunctions{timeout: 29 * time.Second}
		mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions})
		defer mappings.Close()
		spec := lambda.MappingSpec{QueueARN: queueARN, Function: "f", BatchSize: 3, BatchingWindow: 5 * time.Second}
		if _, err := mappings.CreateEventSourceMapping(spec); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		queue.send("b")
		synctest.Wait()
		if got := functions.worked(); len(got) != 0 {
			t.Errorf("before the window's end: %v", got)
		}
		time.Sleep(1100 * time.Millisecond)
		if got := fmt.Sprint(functions.worked()); got != "[[a b]]" {
			t.Errorf("after the window: %v", got)
		}
		queue.send("c", "d", "e", "f")
		time.Sleep(time.Second)
		if got := fmt.Sprint(functions.worked()); got != "[[a b] [c d e]]" {
			t.Errorf("full batch: %v", got)
		}
		queue.mu.Lock()
		defer queue.mu.Unlock()
		if want := 5*time.Second + 29*time.Second + 30*time.Second; queue.receives[0].Visibility != want {
			t.Errorf("visibility %v, want %v", queue.receives[0].Visibility, want)
		}
	})
}

func TestBatchesStayWithinThePayloadLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := newFakeQueue()
		for i := range 10 {
			queue.waiting = append(queue.waiting, lambda.Message{ID: fmt.Sprint(i), ReceiptHandle: fmt.Sprint(i), Body: strings.Repeat("x", 1<<20)})
		}
		functions := &fakeFunctions{}
		mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions})
		defer mappings.Close()
		if _, err := mappings.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: queueARN, Function: "f"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, event := range functions.events {
			if len(event) > 6<<20 {
				t.Errorf("event of %d bytes", len(event))
			}
		}
		if got := len(functions.worked()); got != 2 || len(queue.gone()) != 10 {
			t.Errorf("%d batches, %d deleted", got, len(queue.gone()))
		}
	})
}

func TestDeletionDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := newFakeQueue("a")
		functions := &fakeFunctions{invoke: func([]string) (lambda.Result, error) {
			time.Sleep(10 * time.Second)
			return lambda.Result{}, nil
		}}
		mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions})
		id, err := mappings.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: queueARN, Function: "f"})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := mappings.DeleteEventSourceMapping(id); err != nil {
			t.Fatal(err)
		}
		if got := queue.gone(); len(got) != 1 {
			t.Errorf("the batch at work was not finished: deleted %v", got)
		}
		queue.send("b")
		time.Sleep(time.Minute)
		if got := functions.worked(); len(got) != 1 {
			t.Errorf("a deleted mapping polls: %v", got)
		}
	})
}

func TestDisabledMappingDoesNotPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := newFakeQueue("a")
		functions := &fakeFunctions{}
		mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions})
		defer mappings.Close()
		id, err := mappings.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: queueARN, Function: "f", Disabled: true})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := functions.worked(); len(got) != 0 {
			t.Errorf("disabled: %v", got)
		}
		if err := mappings.SetEventSourceMappingEnabled(id, true); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := functions.worked(); len(got) != 1 {
			t.Errorf("enabled: %v", got)
		}
	})
}

func TestThrottledBatchStaysInTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := newFakeQueue("a")
		functions := &fakeFunctions{invoke: func([]string) (lambda.Result, error) {
			return lambda.Result{}, &awsapi.Error{Status: 429, Code: "TooManyRequestsException"}
		}}
		mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions})
		defer mappings.Close()
		if _, err := mappings.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: queueARN, Function: "f"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := queue.gone(); len(got) != 0 {
			t.Errorf("deleted %v", got)
		}
	})
}

// refusingGuard refuses one operation.
type refusingGuard struct {
	operation string

	mu    sync.Mutex
	calls []awsapi.Call
}

func (g *refusingGuard) Admit(_ context.Context, call awsapi.Call) (bool, *awsapi.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, call)
	if call.Operation == g.operation {
		return false, awsapi.AccessDenied("r", call.Permissions[0].Action, call.Permissions[0].Resource)
	}
	return false, nil
}

func TestPollerActsWithTheFunctionsRole(t *testing.T) {
	t.Parallel()
	tests := []struct {
		refused             string
		worked, deletedWant int
	}{
		{"", 1, 2},
		{"ReceiveMessage", 0, 0},
		{"DeleteMessageBatch", 1, 0},
	}
	for _, test := range tests {
		t.Run("without "+test.refused, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				guard := &refusingGuard{operation: test.refused}
				queue, functions := newFakeQueue("a", "b"), &fakeFunctions{}
				mappings := lambda.NewMappings(lambda.MappingOptions{Queue: queue, Functions: functions, Guard: guard})
				defer mappings.Close()
				if _, err := mappings.CreateEventSourceMapping(lambda.MappingSpec{QueueARN: queueARN, Function: "f"}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := len(functions.worked()); got != test.worked {
					t.Errorf("%d batches, want %d", got, test.worked)
				}
				if got := len(queue.gone()); got != test.deletedWant {
					t.Errorf("%d deleted, want %d", got, test.deletedWant)
				}
				guard.mu.Lock()
				defer guard.mu.Unlock()
				for _, call := range guard.calls {
					want := awsapi.Permission{Action: "sqs:" + strings.TrimSuffix(call.Operation, "Batch"), Resource: queueARN}
					if call.Service != "sqs" || call.AccessKeyID != "key" || len(call.Permissions) != 1 || call.Permissions[0].Action != want.Action || call.Permissions[0].Resource != want.Resource {
						t.Errorf("call = %+v", call)
					}
				}
			})
		})
	}
}
