package gateway

import (
	"sync"

	"golang.org/x/time/rate"
)

// Account throttle of API Gateway, shared by REST, WebSocket and @connections
// calls of one account and Region (quota L-8A5B8E43).
const (
	AccountRate  = 10_000
	AccountBurst = 5_000
)

// NewAccountThrottle returns the throttle of the account. REST and WebSocket
// APIs share one.
func NewAccountThrottle() *rate.Limiter { return rate.NewLimiter(AccountRate, AccountBurst) }

// Limits is a token bucket: requests per second and the bucket's size.
// A negative Rate or Burst switches it off; two zeros refuse everything.
type Limits struct {
	Rate  float64
	Burst int
}

func (l Limits) off() bool { return l.Rate < 0 || l.Burst < 0 }

// Throttle holds one bucket per key. A bucket starts full, again whenever its
// limits change.
type Throttle struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	limits  Limits
	limiter *rate.Limiter
}

// Allow takes a token from the bucket of key, whose limits are given.
func (t *Throttle) Allow(key string, limits Limits) bool {
	if limits.off() {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buckets[key]
	if b == nil || b.limits != limits {
		b = &bucket{limits, rate.NewLimiter(rate.Limit(limits.Rate), limits.Burst)}
		if t.buckets == nil {
			t.buckets = map[string]*bucket{}
		}
		t.buckets[key] = b
	}
	return b.limiter.Allow()
}
