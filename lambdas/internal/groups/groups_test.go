package groups_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/groups"
)

// texts are the claim as a text, with what it says.
var texts = map[string][]string{
	"": {}, "a": {"a"}, "a,b": {"a", "b"}, "[a b]": {"a", "b"}, "[a, b]": {"a", "b"}, "[]": {}, " a , b ": {"a", "b"},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range texts {
		if got := groups.Parse(text); !slices.Equal(got, want) {
			t.Errorf("Parse(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestClaim: a token may say the same in a list and in a text.
func TestClaim(t *testing.T) {
	t.Parallel()
	claims := map[string][]string{`["a","b"]`: {"a", "b"}, `["a b"]`: {"a b"}, `[]`: {}, `null`: {}}
	for text, want := range texts {
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		claims[string(encoded)] = want
	}
	for encoded, want := range claims {
		var got groups.Claim
		if err := json.Unmarshal([]byte(encoded), &got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is %q, %v, want %q", encoded, got, err, want)
		}
	}
	for _, wrong := range []string{`7`, `{}`, `true`, `[7]`} {
		var got groups.Claim
		if json.Unmarshal([]byte(wrong), &got) == nil {
			t.Errorf("%s is %q", wrong, got)
		}
	}
}
