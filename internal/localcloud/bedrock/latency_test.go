package bedrock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

func TestExactly(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	if err := bedrock.Exactly(t.Context(), 5*time.Millisecond); err != nil || time.Since(begun) < 5*time.Millisecond {
		t.Errorf("waited %v of 5 ms: %v", time.Since(begun), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := bedrock.Exactly(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that left: %v", err)
	}
}
