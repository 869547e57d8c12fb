package sockets

import (
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// How posting follows API Gateway: a refusal doubles the interval, at most once
// per settleTime because the refusals of one moment have one cause; without
// refusals it comes back by recovery a second.
const (
	maxStretch = 8.0
	settleTime = 250 * time.Millisecond
	recovery   = 0.5
)

// Backoff adapts how often this process posts to what API Gateway takes. All
// requests of the process share it, as they share the account's limit. The zero
// value stretches nothing.
type Backoff struct {
	mu      sync.Mutex
	stretch float64   // as of refused
	refused time.Time // last refusal that counted
	count   int64
}

var _ relay.Backoff = (*Backoff)(nil)

// Refused reports that a post was refused as one too many.
func (b *Backoff) Refused() {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	if now.Sub(b.refused) < settleTime {
		return
	}
	b.stretch = min(2*b.at(now), maxStretch)
	b.refused = now
}

// TakeRefused counts the refusals since the last call.
func (b *Backoff) TakeRefused() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.count = 0 }()
	return b.count
}

// Interval is base, stretched by as much as the refusals ask for.
func (b *Backoff) Interval(base time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Duration(float64(base) * b.at(time.Now()))
}

func (b *Backoff) at(now time.Time) float64 {
	return max(1, b.stretch-recovery*now.Sub(b.refused).Seconds())
}
