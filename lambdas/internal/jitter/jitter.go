// Package jitter keeps what failed at once from coming back at once.
package jitter

import (
	"math/rand/v2"
	"time"
)

// Half spreads waits of d over its second half: from d/2 to d. d is at least 2 ns.
func Half(d time.Duration) time.Duration { return d/2 + rand.N(d/2) } //nolint:gosec // spreads load, guards nothing
