package caller_test

import (
	"maps"
	"reflect"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/caller"
)

func claims(change map[string]any) map[string]any {
	all := map[string]any{"sub": "u", "cognito:username": "name", "aud": "client", "token_use": "id", "cognito:groups": "gold,staff"}
	maps.Copy(all, change)
	return map[string]any{"claims": all}
}

func TestRead(t *testing.T) {
	t.Parallel()
	user := caller.Caller{UserID: "u", Username: "name", Groups: []string{"gold", "staff"}}
	byKey := caller.Caller{UserID: "u", Groups: []string{"gold"}, KeyID: "k"}
	tests := []struct {
		name       string
		authorizer map[string]any
		want       caller.Caller
		ok         bool
	}{
		{"claims", claims(nil), user, true},
		{"claims without a use, as older authorizers pass them", claims(map[string]any{"token_use": ""}), user, true},
		{"no user", claims(map[string]any{"sub": ""}), caller.Caller{}, false},
		{"another client", claims(map[string]any{"aud": "other"}), caller.Caller{}, false},
		{"access token", claims(map[string]any{"token_use": "access"}), caller.Caller{}, false},
		{"context of a token", map[string]any{"principalId": "u", "userId": "u", "groups": "", "credential": "token"}, caller.Caller{UserID: "u", Groups: []string{}}, true},
		{"context of a key", map[string]any{"principalId": "u", "userId": "u", "groups": "gold", "credential": "key", "keyId": "k"}, byKey, true},
		{"key without an id", map[string]any{"userId": "u", "credential": "key"}, caller.Caller{}, false},
		{"token with the id of a key", map[string]any{"userId": "u", "credential": "token", "keyId": "k"}, caller.Caller{}, false},
		{"context of another authorizer", map[string]any{"userId": "u"}, caller.Caller{}, false},
		{"nobody in the context", map[string]any{"credential": "token"}, caller.Caller{}, false},
		{"no authorizer", nil, caller.Caller{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := caller.Read(test.authorizer, "client")
			if ok != test.ok || (ok && !reflect.DeepEqual(got, test.want)) {
				t.Errorf("Read = %+v, %t, want %+v, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

// What the authorizer function says is what the functions read.
func TestContext(t *testing.T) {
	t.Parallel()
	for _, want := range []caller.Caller{
		{UserID: "u", Groups: []string{"gold", "staff"}},
		{UserID: "u", Groups: []string{}, KeyID: "k"},
	} {
		if got, ok := caller.Read(want.Context(), "client"); !ok || !reflect.DeepEqual(got, want) || got.ByToken() != (want.KeyID == "") {
			t.Errorf("%+v became %+v, %t", want, got, ok)
		}
	}
}
