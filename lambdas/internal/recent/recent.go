// Package recent remembers what a process has seen a short time ago.
package recent

import (
	"sync"
	"time"
)

// maxEntries bounds what a Map holds.
const maxEntries = 10_000

// Map remembers values by their keys, and forgets all when it is full. Its zero
// value is empty. It is safe for concurrent use.
type Map[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]entry[V]
}

type entry[V any] struct {
	value V
	at    time.Time
}

// Remember keeps a value as of a time.
func (m *Map[K, V]) Remember(key K, value V, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil || len(m.entries) >= maxEntries {
		m.entries = map[K]entry[V]{}
	}
	m.entries[key] = entry[V]{value, at}
}

// Recall returns the value that is remembered as of since or later.
func (m *Map[K, V]) Recall(key K, since time.Time) (value V, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, known := m.entries[key]
	return e.value, known && !e.at.Before(since)
}

// Forget drops a value.
func (m *Map[K, V]) Forget(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
}
