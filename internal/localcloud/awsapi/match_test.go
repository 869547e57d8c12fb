package awsapi_test

import (
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

func TestMatchARN(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:execute-api:us-east-1:1:api/v1/GET/x/y"
	tests := []struct {
		pattern string
		want    bool
	}{
		{arn, true},
		{"arn:aws:execute-api:us-east-1:1:api/*", true},
		{"arn:aws:execute-api:us-east-1:1:api/*/GET/x/*", true},
		{"arn:aws:execute-api:us-east-1:1:ap?/*", true},
		{"arn:*:execute-api:*:*:api/v1/*/y", true},
		{"arn:aws:execute-api:us-east-1:*", false},
		{"arn:aws:execute-api:us-east-1:1:api", false},
		{"arn:aws:execute-api:us-east-1:1:api/*/POST/*", false},
		{"arn:aws:execute-api:us-east-1:1:", false},
		{"arn*", false},
	}
	for _, test := range tests {
		if got := awsapi.MatchARN(test.pattern, arn); got != test.want {
			t.Errorf("%q: %v, want %v", test.pattern, got, test.want)
		}
	}
}
