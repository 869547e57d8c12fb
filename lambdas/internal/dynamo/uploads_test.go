package dynamo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

func TestCountUpload(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for range life.MaxUploadsPerDay {
		if err := db.CountUpload(ctx, "u", day); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.CountUpload(ctx, "u", day); !errors.Is(err, life.ErrTooManyUploads) {
		t.Errorf("one more than %d: %v", life.MaxUploadsPerDay, err)
	}
	for user, day := range map[string]time.Time{"u": day.AddDate(0, 0, 1), "v": day} {
		if err := db.CountUpload(ctx, user, day); err != nil {
			t.Errorf("%s on %v: %v", user, day, err)
		}
	}
	if i := db.Item(t, dynamotest.Tables.Quota, "u#u", "uploads#2026-11-24"); i["expiresAt"] == nil {
		t.Error("a counter is not left to DynamoDB to delete")
	}
}
