package jitter_test

import (
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/jitter"
)

func TestHalf(t *testing.T) {
	t.Parallel()
	least, most := time.Second, time.Duration(0)
	for range 10_000 {
		d := jitter.Half(time.Second)
		least, most = min(least, d), max(most, d)
	}
	if least < 500*time.Millisecond || most >= time.Second {
		t.Errorf("waits from %s to %s, want 500ms to 1s", least, most)
	}
	if least > 550*time.Millisecond || most < 950*time.Millisecond {
		t.Errorf("waits from %s to %s, want them all over 500ms to 1s", least, most)
	}
}
