package sqs

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// Snapshot is the messages of all queues by the queue's name, each in the order
// of sending.
type Snapshot map[string][]SavedMessage

// SavedMessage is a message as it outlives a restart: with the time at which it
// is visible again, whether it was delayed or is in flight, and all that its
// receivers are told.
type SavedMessage struct {
	ID         string               `json:"id"`
	Body       string               `json:"body"`
	Attributes map[string]Attribute `json:"attributes,omitempty"`
	System     map[string]string    `json:"system,omitempty"`
	Sender     string               `json:"sender"`
	SentAt     time.Time            `json:"sentAt"`
	VisibleAt  time.Time            `json:"visibleAt"`
	FirstAt    time.Time            `json:"firstAt,omitzero"`
	Received   int                  `json:"received,omitempty"`
	Receipt    string               `json:"receipt,omitempty"`
	Source     string               `json:"source,omitempty"`
	Copy       bool                 `json:"copy,omitempty"` // a duplicate of another message
}

// Snapshot returns the messages of all queues as of one moment: none is on its
// way from a queue to its dead-letter queue.
func (s *Service) Snapshot() Snapshot {
	s.moves.Lock()
	defer s.moves.Unlock()
	saved := Snapshot{}
	for _, q := range s.sorted() {
		saved[q.name] = q.save()
	}
	return saved
}

func (q *queue) save() []SavedMessage {
	q.mu.Lock()
	defer q.mu.Unlock()
	inOrder := slices.SortedFunc(slices.Values(q.pending), func(a, b *stored) int { return cmp.Compare(a.sequence, b.sequence) })
	saved := make([]SavedMessage, len(inOrder))
	for i, m := range inOrder {
		saved[i] = SavedMessage{
			ID: m.id, Body: m.body, Attributes: m.attributes, System: m.system, Sender: m.sender,
			SentAt: m.sentAt, VisibleAt: m.visibleAt, FirstAt: m.firstAt, Received: m.received, Receipt: m.receipt,
			Source: m.source, Copy: q.byID[m.id] != m,
		}
	}
	return saved
}

// Restore puts saved messages into the declared queues. It returns the names of
// queues that are no longer declared, whose messages are dropped.
func (s *Service) Restore(saved Snapshot) (dropped []string) {
	for name, messages := range saved {
		q, refusal := s.queue(name)
		switch {
		case refusal == nil:
			q.restore(messages)
		case len(messages) > 0:
			dropped = append(dropped, name)
		}
	}
	slices.Sort(dropped)
	return dropped
}

func (q *queue) restore(messages []SavedMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, saved := range messages {
		m := &stored{
			id: saved.ID, body: saved.Body, bodyMD5: md5Hex([]byte(saved.Body)), attributes: saved.Attributes,
			system: saved.System, sender: saved.Sender, sentAt: saved.SentAt, visibleAt: saved.VisibleAt,
			firstAt: saved.FirstAt, received: saved.Received, receipt: saved.Receipt, source: saved.Source,
		}
		q.sequence++
		m.sequence = q.sequence
		heap.Push(&q.pending, m)
		if !saved.Copy {
			q.byID[m.id] = m
		} else if m.receipt != "" {
			q.copies[m.receipt] = m
		}
	}
	q.changes++
	q.wake()
}

// Changes counts what changed of the messages since the start: as long as it
// stays, so does the snapshot.
func (s *Service) Changes() (changes uint64) {
	for _, q := range s.sorted() {
		q.mu.Lock()
		changes += q.changes
		q.mu.Unlock()
	}
	return changes
}
