package main

import (
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/starttest"
)

func TestMain(m *testing.M) { starttest.Main(m, main) }

func TestStartNamesAllThatIsMissing(t *testing.T) {
	t.Parallel()
	starttest.NamesMissing(t, "QUOTA_TABLE", "QUEUE_URL", "MODEL_ID", "FLUSH_INTERVAL_MS")
}
