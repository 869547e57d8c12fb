package lambda

import (
	"context"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

const (
	longPoll     = 20 * time.Second // SQS's longest wait
	receiveMost  = 10               // messages of one ReceiveMessage
	backOffFirst = 50 * time.Millisecond
	backOffMost  = 5 * time.Second
	// extraVisibility is added when window and time-out exceed the queue's own
	// visibility time-out (docs, services-sqs-configure).
	extraVisibility = 30 * time.Second
)

// mapping polls one queue for one function.
type mapping struct {
	id      string
	spec    MappingSpec
	info    FunctionInfo
	options MappingOptions

	context context.Context //nolint:containedctx // the life of the polling
	cancel  context.CancelFunc
	slots   chan struct{} // one for each batch at work
	work    sync.WaitGroup
}

func newMapping(id string, spec MappingSpec, info FunctionInfo, options MappingOptions) *mapping {
	concurrency := spec.MaximumConcurrency
	if concurrency == 0 {
		concurrency = scaledConcurrency
	}
	m := &mapping{id: id, spec: spec, info: info, options: options, slots: make(chan struct{}, concurrency)}
	m.context, m.cancel = context.WithCancel(context.Background())
	return m
}

func (m *mapping) start() { m.work.Go(m.poll) }

func (m *mapping) stop() { m.cancel() }

// drain stops polling and waits for the batches at work.
func (m *mapping) drain() {
	m.cancel()
	m.work.Wait()
}

// poll collects batches and hands each to a goroutine of its own as long as
// there is a free slot.
func (m *mapping) poll() {
	backOff := time.Duration(0)
	for m.context.Err() == nil {
		if !m.sleep(backOff) || !m.takeSlot() {
			return
		}
		messages, err := m.collect()
		if err != nil {
			<-m.slots
			backOff = min(max(2*backOff, backOffFirst), backOffMost)
			continue
		}
		backOff = 0
		m.dispatch(messages)
	}
}

func (m *mapping) takeSlot() bool {
	select {
	case m.slots <- struct{}{}:
		return true
	case <-m.context.Done():
		return false
	}
}

func (m *mapping) sleep(d time.Duration) bool {
	if d == 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-m.context.Done():
		return false
	}
}

// collect receives what one batch may hold: what the first receive brings, or
// with a window, until the batch is full, the window ends or 6 MB are reached.
func (m *mapping) collect() ([]Message, error) {
	messages, err := m.receive(min(m.spec.BatchSize, receiveMost), longPoll)
	if err != nil || len(messages) == 0 || m.spec.BatchingWindow == 0 {
		return messages, err
	}
	size := bodySize(messages)
	for end := time.Now().Add(m.spec.BatchingWindow); len(messages) < m.spec.BatchSize && size < maxPayload; {
		left := time.Until(end)
		if left <= 0 || m.context.Err() != nil {
			break
		}
		more, err := m.receive(min(m.spec.BatchSize-len(messages), receiveMost), min(left, longPoll))
		if err != nil {
			break // what is here is worked; the next round meets the error again
		}
		messages, size = append(messages, more...), size+bodySize(more)
	}
	return messages, nil
}

func bodySize(messages []Message) int {
	size := 0
	for _, message := range messages {
		size += len(message.Body)
	}
	return size
}

func (m *mapping) receive(most int, wait time.Duration) ([]Message, error) {
	lost, refused := m.admit("ReceiveMessage", nil)
	if refused != nil {
		return nil, refused
	}
	messages, err := m.options.Queue.Receive(m.context, m.spec.QueueARN, ReceiveOptions{Max: most, Wait: wait, Visibility: m.visibility()})
	if err != nil {
		return nil, err
	}
	if lost { // they stay invisible until their time-out
		return nil, nil
	}
	return messages, nil
}

// visibility is 0, the queue's own, unless window and time-out exceed it.
func (m *mapping) visibility() time.Duration {
	needed := m.spec.BatchingWindow + m.info.Timeout
	if own, err := m.options.Queue.VisibilityTimeout(m.spec.QueueARN); err != nil || needed <= own {
		return 0
	}
	return needed + extraVisibility
}

// admit asks the guard for a call that the poller makes with the function's role.
func (m *mapping) admit(operation string, body []byte) (lost bool, refused *awsapi.Error) {
	if m.options.Guard == nil {
		return false, nil
	}
	action := operation
	if operation == "DeleteMessageBatch" {
		action = "DeleteMessage"
	}
	return m.options.Guard.Admit(m.context, awsapi.Call{
		Service: "sqs", Operation: operation, AccessKeyID: m.info.AccessKeyID, Body: body,
		Permissions: []awsapi.Permission{{Action: "sqs:" + action, Resource: m.spec.QueueARN}},
	})
}

// dispatch starts an invocation; the caller holds a slot for the first. More
// than one is needed only when the messages do not fit one payload.
func (m *mapping) dispatch(messages []Message) {
	batches := m.split(messages)
	for i, b := range batches {
		if i > 0 && !m.takeSlot() {
			return
		}
		m.work.Go(func() {
			defer func() { <-m.slots }()
			m.process(b)
		})
	}
	if len(batches) == 0 {
		<-m.slots
	}
}

func (m *mapping) split(messages []Message) []*batch {
	var batches []*batch
	for _, message := range messages {
		record, err := encodeRecord(m.spec.QueueARN, message)
		if err != nil {
			continue // only what is not text; it stays in the queue and reaches the DLQ
		}
		if last := len(batches) - 1; last >= 0 && batches[last].add(message, record) {
			continue
		}
		b := &batch{}
		b.add(message, record)
		batches = append(batches, b)
	}
	return batches
}

// process invokes the function with a batch and deletes what it worked. What
// stays becomes visible again by its time-out.
func (m *mapping) process(b *batch) {
	payload, err := b.payload()
	if err != nil {
		return
	}
	result, err := m.options.Functions.Invoke(context.WithoutCancel(m.context), m.info.ARN, payload)
	if err != nil {
		m.sleep(backOffFirst) // throttled: the slot rests a little
		return
	}
	if result.FunctionError != "" {
		return
	}
	m.delete(m.worked(b, result.Payload))
}

// worked returns the messages of a batch that the function did not report as failed.
func (m *mapping) worked(b *batch, response []byte) []Message {
	if !m.spec.ReportBatchItemFailure {
		return b.messages
	}
	ids := make(map[string]bool, len(b.messages))
	for _, message := range b.messages {
		ids[message.ID] = true
	}
	failed, err := failedItems(response, ids)
	if err != nil {
		return nil
	}
	worked := make([]Message, 0, len(b.messages))
	for _, message := range b.messages {
		if !failed[message.ID] {
			worked = append(worked, message)
		}
	}
	return worked
}

// delete deletes messages, ten a call.
func (m *mapping) delete(messages []Message) {
	for len(messages) > 0 {
		most := min(len(messages), receiveMost)
		if _, refused := m.admitDelete(messages[:most]); refused == nil {
			for _, message := range messages[:most] {
				_ = m.options.Queue.Delete(m.spec.QueueARN, message.ReceiptHandle) // else it comes again
			}
		}
		messages = messages[most:]
	}
}

func (m *mapping) admitDelete(messages []Message) (lost bool, refused *awsapi.Error) {
	var bodies []byte
	for _, message := range messages {
		bodies = append(append(bodies, message.Body...), '\n')
	}
	return m.admit("DeleteMessageBatch", bodies)
}
