package main

import (
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/starttest"
)

func TestMain(m *testing.M) { starttest.Main(m, main) }

func TestStartNamesAllThatIsMissing(t *testing.T) {
	t.Parallel()
	starttest.NamesMissing(t, "USER_POOL_ID", "USER_POOL_CLIENT_ID")
}
