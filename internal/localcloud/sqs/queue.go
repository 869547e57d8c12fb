package sqs

import (
	"container/heap"
	"context"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// maxInFlight is SQS's limit of messages in flight in a queue.
const maxInFlight = 120_000

// queue is one standard queue.
type queue struct {
	service *Service
	name    string
	created time.Time

	mu       sync.Mutex
	settings settings
	tags     map[string]string
	modified time.Time
	pending  byVisibility       // all messages; those in flight come later
	byID     map[string]*stored // a duplicate shares the id of its original and is not here
	copies   map[string]*stored // by receipt: deliveries of duplicates
	sequence uint64
	changes  uint64        // of what a snapshot holds
	changed  chan struct{} // closed when a message may be visible earlier than thought
}

func newQueue(service *Service, name string, settings settings, tags map[string]string) *queue {
	now := time.Now()
	return &queue{
		service: service, name: name, created: now, modified: now, settings: settings, tags: maps.Clone(tags),
		byID: map[string]*stored{}, copies: map[string]*stored{}, changed: make(chan struct{}),
	}
}

func (q *queue) sameSettings(other settings) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return maps.Equal(q.settings.shown(), other.shown())
}

func (q *queue) setAttributes(attributes map[string]string) *awsapi.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	next := q.settings.clone()
	if refusal := next.apply(attributes); refusal != nil {
		return refusal
	}
	q.settings, q.modified = next, time.Now()
	q.wake()
	return nil
}

// wake lets the waiting receivers look again. The caller holds q.mu.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// add takes a message in. The caller has validated it.
func (q *queue) add(m *stored) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sequence++
	q.changes++
	m.sequence = q.sequence
	heap.Push(&q.pending, m)
	if q.byID[m.id] == nil {
		q.byID[m.id] = m
	}
	q.wake()
}

// receive waits up to wait for messages and takes at most most of them.
func (q *queue) receive(ctx context.Context, most int, wait time.Duration, visibility *time.Duration) ([]Message, *awsapi.Error) {
	deadline := time.Now().Add(wait)
	for {
		messages, next, changed, refusal := q.take(most, visibility)
		if refusal != nil || len(messages) > 0 {
			return messages, refusal
		}
		left := time.Until(deadline)
		if left <= 0 {
			return nil, nil
		}
		if !sleep(ctx, min(left, next), changed) {
			return nil, nil
		}
	}
}

// sleep waits for d or a change; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration, changed <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-changed:
		return true
	case <-ctx.Done():
		return false
	}
}

// take delivers visible messages. next is when, at the latest, to look again.
func (q *queue) take(most int, visibility *time.Duration) (taken []Message, next time.Duration, changed <-chan struct{}, refusal *awsapi.Error) {
	var dead []*stored
	q.service.moves.RLock()
	defer q.service.moves.RUnlock()
	q.mu.Lock()
	now := time.Now()
	hidden := q.settings.duration(visibilityTimeout)
	if visibility != nil {
		hidden = *visibility
	}
	var delivered []*stored
	for len(delivered) < most {
		m := q.popVisible(now)
		switch {
		case m == nil:
			next = q.untilNext(now)
		case q.exceeds(m):
			q.forget(m)
			dead = append(dead, m)
			continue
		case q.inFlight(now)+len(delivered) >= maxInFlight:
			heap.Push(&q.pending, m)
			refusal = overLimit()
		default:
			taken = append(taken, q.deliver(m, now, hidden))
			delivered = append(delivered, m)
			continue
		}
		break
	}
	for _, m := range delivered {
		heap.Push(&q.pending, m)
	}
	changed = q.changed
	target := ""
	if q.settings.redrive != nil {
		target = q.settings.redrive.target
	}
	q.mu.Unlock()
	q.bury(target, dead)
	return taken, next, changed, refusal
}

// popVisible removes the first visible message that retention has not ended.
func (q *queue) popVisible(now time.Time) *stored {
	for len(q.pending) > 0 && !q.pending[0].visibleAt.After(now) {
		m := q.popFirst()
		if !q.expired(m, now) {
			return q.overtaken(m, now)
		}
		q.forget(m)
	}
	return nil
}

// overtaken returns the message behind m if a fault lets it overtake.
func (q *queue) overtaken(m *stored, now time.Time) *stored {
	if len(q.pending) == 0 || q.pending[0].visibleAt.After(now) || q.expired(q.pending[0], now) || !q.service.faults.ReorderMessage() {
		return m
	}
	second := q.popFirst()
	heap.Push(&q.pending, m)
	return second
}

func (q *queue) popFirst() *stored {
	return heap.Pop(&q.pending).(*stored) //nolint:forcetypeassert // the heap holds nothing else
}

func (q *queue) expired(m *stored, now time.Time) bool {
	return now.Sub(m.sentAt) >= q.settings.duration(retention)
}

// exceeds tells whether one more delivery would exceed maxReceiveCount. The
// message goes to the dead-letter queue instead.
func (q *queue) exceeds(m *stored) bool {
	policy := q.settings.redrive
	if policy == nil || m.received < policy.maxReceiveCount {
		return false
	}
	_, refusal := q.service.queue(nameOf(policy.target))
	return refusal == nil // without its target the message stays
}

// deliver counts a delivery and hides the message.
func (q *queue) deliver(m *stored, now time.Time, hidden time.Duration) Message {
	q.changes++
	m.received++
	if m.firstAt.IsZero() {
		m.firstAt = now
	}
	delete(q.copies, m.receipt)
	m.receipt = m.newReceipt()
	m.visibleAt = now.Add(hidden)
	if q.byID[m.id] != m {
		q.copies[m.receipt] = m
	}
	if q.service.faults.EarlyMessage() {
		m.visibleAt = now.Add(hidden / 5)
	}
	if q.byID[m.id] == m && q.service.faults.DuplicateMessage() {
		q.duplicate(m, now)
	}
	return m.delivery()
}

// duplicate makes a second delivery of m with its own fate.
func (q *queue) duplicate(m *stored, now time.Time) {
	twin := *m
	q.sequence++
	twin.visibleAt, twin.receipt, twin.sequence = now, "", q.sequence
	heap.Push(&q.pending, &twin)
	q.wake()
}

// bury moves messages to the dead-letter queue, where they keep their time of
// sending.
func (q *queue) bury(target string, dead []*stored) {
	if len(dead) == 0 {
		return
	}
	letters, refusal := q.service.queue(nameOf(target))
	if refusal != nil {
		return
	}
	for _, m := range dead {
		letters.add(&stored{
			id: m.id, body: m.body, bodyMD5: m.bodyMD5, attributes: m.attributes, system: m.system, sender: m.sender,
			sentAt: m.sentAt, visibleAt: time.Now(), source: ARN(q.name),
		})
	}
}

// forget drops what finds m by id or receipt; m is out of the heap.
func (q *queue) forget(m *stored) {
	q.changes++
	delete(q.copies, m.receipt)
	if q.byID[m.id] == m {
		delete(q.byID, m.id)
	}
}

// untilNext is how long a receiver may sleep without missing a message.
func (q *queue) untilNext(now time.Time) time.Duration {
	if len(q.pending) == 0 {
		return time.Hour
	}
	return max(q.pending[0].visibleAt.Sub(now), time.Millisecond)
}

func (q *queue) inFlight(now time.Time) int {
	if len(q.pending) < maxInFlight {
		return 0 // cannot be reached: no need to count
	}
	_, inFlight, _ := q.counts(now)
	return inFlight
}

func (q *queue) counts(now time.Time) (visible, inFlight, delayed int) {
	for _, m := range q.pending {
		switch {
		case q.expired(m, now):
		case !m.visibleAt.After(now):
			visible++
		case m.received > 0:
			inFlight++
		default:
			delayed++
		}
	}
	return visible, inFlight, delayed
}

// find returns the message of a receipt handle, or nil if the handle is not of
// the message's last delivery.
func (q *queue) find(receipt string) (*stored, *awsapi.Error) {
	id, ok := idOfReceipt(receipt)
	if !ok {
		return nil, receiptInvalid(receipt)
	}
	if m := q.copies[receipt]; m != nil {
		return m, nil
	}
	if m := q.byID[id]; m != nil && m.receipt == receipt {
		return m, nil
	}
	return nil, nil
}

// remove deletes the message of a receipt handle. A handle of an earlier
// delivery succeeds without deleting, as in AWS.
func (q *queue) remove(receipt string) *awsapi.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m, refusal := q.find(receipt)
	if refusal != nil || m == nil {
		return refusal
	}
	heap.Remove(&q.pending, m.index)
	q.forget(m)
	return nil
}

// changeVisibility hides a message in flight for d from now.
func (q *queue) changeVisibility(receipt string, d time.Duration) *awsapi.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m, refusal := q.find(receipt)
	now := time.Now()
	switch {
	case refusal != nil:
		return refusal
	case m == nil:
		return invalidParameter("Value " + receipt + " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.")
	case !m.visibleAt.After(now):
		return notInFlight()
	}
	m.visibleAt = now.Add(d)
	q.changes++
	heap.Fix(&q.pending, m.index)
	q.wake()
	return nil
}

func (q *queue) purge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending = nil
	q.changes++
	clear(q.byID)
	clear(q.copies)
}

// bodyOf returns the body of a receipt handle's message, "" if it is gone.
func (q *queue) bodyOf(receipt string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m, _ := q.find(receipt); m != nil {
		return m.body
	}
	return ""
}

func (q *queue) attributes() map[string]string {
	q.mu.Lock()
	defer q.mu.Unlock()
	shown := q.settings.shown()
	visible, inFlight, delayed := q.counts(time.Now())
	shown["QueueArn"] = ARN(q.name)
	shown["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	shown["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
	shown["ApproximateNumberOfMessages"] = strconv.Itoa(visible)
	shown["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(inFlight)
	shown["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(delayed)
	return shown
}
