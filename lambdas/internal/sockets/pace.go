package sockets

import (
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// How the pace follows API Gateway: a refusal doubles the interval, at most once
// per settleTime because the refusals of one moment have one cause; without
// refusals it comes back by recovery a second.
const (
	maxStretch = 8.0
	settleTime = 250 * time.Millisecond
	recovery   = 0.5
)

// Pace adapts how often this process posts to what API Gateway takes. All
// requests of the process share it, as they share the account's limit. The zero
// value is the normal pace.
type Pace struct {
	mu      sync.Mutex
	stretch float64   // as of refused
	refused time.Time // last refusal that counted
	count   int64
}

var _ relay.Pace = (*Pace)(nil)

// Refused reports that a post was refused as one too many.
func (p *Pace) Refused() {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	if now.Sub(p.refused) < settleTime {
		return
	}
	p.stretch = min(2*p.at(now), maxStretch)
	p.refused = now
}

// TakeRefused counts the refusals since the last call.
func (p *Pace) TakeRefused() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.count = 0 }()
	return p.count
}

// Interval is base, stretched by as much as the refusals ask for.
func (p *Pace) Interval(base time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(float64(base) * p.at(time.Now()))
}

func (p *Pace) at(now time.Time) float64 {
	return max(1, p.stretch-recovery*now.Sub(p.refused).Seconds())
}
