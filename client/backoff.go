package client

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// How the socket is opened again.
const (
	firstReconnectDelay = 500 * time.Millisecond
	maxReconnectDelay   = 30 * time.Second
	// firstThrottledDelay is for a socket that was closed or refused because
	// there is too much of something (1008, 429) or for good reason (400, 403).
	firstThrottledDelay = 5 * time.Second
	maxThrottledDelay   = 2 * time.Minute
	// settled is how long a socket has to live to be no failure.
	settled = 10 * time.Second
)

// fullJitter is a random delay below first·2ⁿ, which is at most limit.
func fullJitter(first, limit time.Duration, n int, random func() float64) time.Duration {
	ceiling := limit
	if n < 20 {
		ceiling = min(limit, first<<n)
	}
	return time.Duration(random() * float64(ceiling))
}

// reconnect decides when a lost socket is opened again. The zero value with
// random set is ready.
type reconnect struct {
	random   func() float64
	failures int
}

// afterClose is the delay after a socket that had been open for a while was
// closed with a code, -1 if it was closed without one.
func (r *reconnect) afterClose(code websocket.StatusCode, lived time.Duration) time.Duration {
	if lived >= settled {
		r.failures = 0
		if code == websocket.StatusGoingAway {
			return 0
		}
	}
	return r.fail(code == websocket.StatusPolicyViolation)
}

// afterRefusal is the delay after a handshake that failed with an HTTP status,
// 0 if there was no answer.
func (r *reconnect) afterRefusal(status int) time.Duration {
	return r.fail(status >= 400 && status < 500)
}

func (r *reconnect) fail(throttled bool) time.Duration {
	n := r.failures
	r.failures++
	if throttled {
		return firstThrottledDelay + fullJitter(firstThrottledDelay, maxThrottledDelay, n, r.random)
	}
	return fullJitter(firstReconnectDelay, maxReconnectDelay, n, r.random)
}

// sleep waits or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
