package lambda_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

func FuzzBatchResponse(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", `{"batchItemFailures":null}`, `{"batchItemFailures":[{"itemIdentifier":"a"}]}`,
		`{"batchItemFailures":[{"itemIdentifier":""}]}`, `{"batchItemFailures":[null]}`, `{"batchItemFailures":{}}`, "[", `"x"`,
	} {
		f.Add([]byte(seed))
	}
	batch := map[string]bool{"a": true, "b": true}
	f.Fuzz(func(t *testing.T, response []byte) {
		failed, err := lambda.FailedItems(response, batch)
		for id := range failed {
			if !batch[id] {
				t.Errorf("%q is not of the batch", id)
			}
		}
		if err != nil && len(failed) > 0 {
			t.Errorf("both failed items %v and error %v", failed, err)
		}
		if err == nil && len(response) > 0 && json.Unmarshal(response, new(any)) != nil && len(failed) > 0 {
			t.Errorf("read %q", response)
		}
	})
}

func TestParseSchedule(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expression string
		want       time.Duration // 0: refused
	}{
		{"rate(1 minute)", time.Minute}, {"rate(5 minutes)", 5 * time.Minute}, {"rate(1 hour)", time.Hour}, {"rate(2 days)", 48 * time.Hour},
		{"rate(1 minutes)", 0}, {"rate(5 minute)", 0}, {"rate(0 minutes)", 0}, {"rate(-1 minutes)", 0}, {"rate(1.5 hours)", 0},
		{"rate(10 seconds)", 0}, {"cron(0 12 * * ? *)", 0}, {"", 0}, {"5 minutes", 0}, {"rate(9999999999 minutes)", 0},
	}
	for _, test := range tests {
		got, err := lambda.ParseSchedule(test.expression)
		if got != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%q: %v, %v; want %v", test.expression, got, err, test.want)
		}
		if err != nil && codeOf(err) != "ValidationException" {
			t.Errorf("%q: %v", test.expression, err)
		}
	}
}
