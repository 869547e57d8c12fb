package main

import (
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/starttest"
)

func TestMain(m *testing.M) { starttest.Main(m, main) }

func TestStartNamesAllThatIsMissing(t *testing.T) {
	t.Parallel()
	starttest.NamesMissing(t, "QUOTA_TABLE", "REQUESTS_TABLE", "QUEUE_URL", "WEBSOCKET_API_ENDPOINT")
}
