package gateway

import (
	"strings"
	"testing"
)

// FuzzVerdict checks that no output of an authorizer allows by accident.
func FuzzVerdict(f *testing.F) {
	f.Add(`{"principalId":"u","policyDocument":{"Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]},"context":{"a":1}}`)
	f.Add(`{"principalId":"u","policyDocument":{"Statement":{"Action":["*"],"Effect":"Deny","Resource":["*"]}}}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, result string) {
		v, err := ParseVerdict([]byte(result))
		if err == nil && v.Allows("arn:aws:execute-api:us-east-1:0:api/v1/$connect") && !strings.Contains(result, "Allow") && !strings.Contains(result, `\u`) {
			t.Errorf("%s allows", result)
		}
	})
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, value string
		want           bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a*c", "abc", true}, {"a*c", "abcd", false}, {"a?c", "abc", true},
		{"a?c", "ac", false}, {"*a*b", "xaybzb", true}, {"a**", "a", true}, {"arn:*:api/*/$connect", "arn:aws:api/v1/$connect", true},
	} {
		if got := matches(test.pattern, test.value); got != test.want {
			t.Errorf("matches(%q, %q) = %v", test.pattern, test.value, got)
		}
	}
}
