//go:build !linux

package bedrock

import (
	"context"
	"time"
)

// Exactly waits until d is over or the client has left, as exactly as Go can.
func Exactly(ctx context.Context, d time.Duration) error { return pause(ctx, d) }
