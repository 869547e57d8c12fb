package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
)

func TestRecordsCarryTheInvocation(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "inv-1"})
	logging.New(&out, slog.LevelInfo).With("function", "quota").WarnContext(ctx, "message", "key", 7)

	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"invocation": "inv-1", "function": "quota", "level": "WARN", "message": "message", "key": 7.0} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v in %s", name, got[name], want, out.String())
		}
	}
}

func TestRecordsBelowTheLevelAreDropped(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logging.New(&out, slog.LevelWarn).Info("quiet")
	if out.Len() > 0 {
		t.Errorf("logged %s", out.String())
	}
}
