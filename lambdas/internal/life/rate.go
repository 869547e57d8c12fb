package life

import (
	"math"
	"time"
)

// Rate is a limit on how fast a user submits: the generic cell rate algorithm,
// which needs one stored time, the theoretical arrival time (TAT).
type Rate struct {
	Interval  time.Duration // T: between two requests at the sustained rate; 0: unlimited
	Tolerance time.Duration // tau: how far ahead of now the TAT may run
}

// maxTolerance bounds what the slowest rate and the largest burst multiply to:
// ten years are as good as for ever.
const maxTolerance = 10 * 365 * 24 * time.Hour

// NewRate returns the rate of perSecond requests with bursts of burst. A rate of
// 0 is unlimited. The interval is rounded up to the millisecond, in which times
// are stored, so that the limit is never exceeded.
func NewRate(perSecond float64, burst int64) Rate {
	if perSecond <= 0 {
		return Rate{}
	}
	interval := time.Duration(math.Ceil(1000/perSecond)) * time.Millisecond
	burst = min(max(1, burst), 1+int64(maxTolerance/interval))
	return Rate{interval, time.Duration(burst-1) * interval}
}

// Unlimited reports whether the rate never refuses.
func (r Rate) Unlimited() bool { return r.Interval == 0 }

// Wait returns how long a user with this TAT has to wait at now; 0 admits.
func (r Rate) Wait(tat, now time.Time) time.Duration {
	if r.Unlimited() {
		return 0
	}
	return max(0, tat.Sub(now.Add(r.Tolerance)))
}

// Next returns the TAT after an admission at now.
func (r Rate) Next(tat, now time.Time) time.Time {
	if tat.After(now) {
		return tat.Add(r.Interval)
	}
	return now.Add(r.Interval)
}
