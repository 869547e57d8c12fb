package gateway_test

import (
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

func TestStageVariables(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, value, want string }{
		{"siteOrigin", "https://d1.cloudfront.net", ""},
		{"a_1", "a b?c=d&e#f,g~h", ""},
		{"a-b", "x", "Invalid stage variable name: a-b."},
		{"a", "", "Invalid stage variable value: ."},
		{"a", "*", "Invalid stage variable value: *."},
	} {
		if got := gateway.StageVariables(map[string]string{test.name: test.value}); !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s=%q: %q, want %q", test.name, test.value, got, test.want)
		}
	}
}
