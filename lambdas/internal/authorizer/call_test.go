package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/authorizer"
	"github.com/streaming-service/streaming-service/lambdas/internal/directory"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

var (
	now     = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	goodKey = "ssk_" + strings.Repeat("A", 43)
)

// world is what the authorizer can ask: one key of one user.
type world struct {
	key      life.PersonalKey
	keyErr   error
	account  life.Account
	storeErr error
	user     directory.User
	userErr  error
	now      time.Time
}

func newWorld() *world {
	return &world{
		key:     life.PersonalKey{KeyID: "key-1", UserID: "user-1", Username: "name-1", Hash: life.HashSecret(goodKey)},
		account: life.Account{UserID: "user-1", Groups: []string{"gold"}},
		user:    directory.User{ID: "user-1", Enabled: true},
		now:     now,
	}
}

func (w *world) KeyByHash(_ context.Context, hash string) (life.PersonalKey, error) {
	if w.keyErr == nil && hash != w.key.Hash {
		return life.PersonalKey{}, life.ErrNotFound
	}
	return w.key, w.keyErr
}

func (w *world) Account(_ context.Context, userID string) (life.Account, error) {
	if userID != w.key.UserID {
		return life.Account{}, fmt.Errorf("asked for the account of %q", userID)
	}
	return w.account, w.storeErr
}

func (w *world) Get(_ context.Context, name string) (directory.User, error) {
	if name != "name-1" {
		return directory.User{}, fmt.Errorf("asked for the user %q", name)
	}
	return w.user, w.userErr
}

func (w *world) keys() *authorizer.PersonalKeys {
	return &authorizer.PersonalKeys{Store: w, Users: w, Now: func() time.Time { return w.now }}
}

const (
	callARN  = "arn:aws:execute-api:eu-west-1:123456789012:api/v1/POST/openai/v1/chat/completions"
	keyPaths = "arn:aws:execute-api:eu-west-1:123456789012:api/v1/*/openai/v1/*"
)

func callEvent(headers map[string]string, ip string) events.APIGatewayCustomAuthorizerRequestTypeRequest {
	e := event(headers, ip)
	e.MethodArn, e.HTTPMethod = callARN, "POST"
	return e
}

func bearer(credential string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + credential}
}

// Answers for the two credentials, as API Gateway reads them.
func policyOf(effect, context string) string {
	return `{"principalId":"user-1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"` + effect +
		`","Resource":["` + keyPaths + `"]}]},"context":` + context + `}`
}

const (
	contextOfToken = `{"credential":"token","groups":"gold,staff","userId":"user-1"}`
	contextOfKey   = `{"credential":"key","groups":"gold","keyId":"key-1","userId":"user-1"}`
)

func TestCall(t *testing.T) {
	t.Parallel()
	const unauthorized, failed = "Unauthorized", "verifying the credential failed"
	tests := []struct {
		name    string
		headers map[string]string
		change  func(*world)
		ip      string
		want    string
		wantErr string
	}{
		{name: "token", headers: bearer(goodToken), want: policyOf("Allow", contextOfToken)},
		{name: "token alone", headers: map[string]string{"authorization": goodToken}, want: policyOf("Allow", contextOfToken)},
		{name: "key", headers: bearer(goodKey), want: policyOf("Allow", contextOfKey)},
		{name: "key, header and scheme in another case", headers: map[string]string{"AUTHORIZATION": "bearer " + goodKey}, want: policyOf("Allow", contextOfKey)},
		{name: "key of a user without groups", headers: bearer(goodKey), change: func(w *world) { w.account.Groups = nil }, want: policyOf("Allow", `{"credential":"key","groups":"","keyId":"key-1","userId":"user-1"}`)},
		{name: "key that expires later", headers: bearer(goodKey), change: func(w *world) { w.key.ExpiresAt = now.Add(time.Second) }, want: policyOf("Allow", contextOfKey)},
		{name: "token from elsewhere", headers: bearer(goodToken), ip: "192.0.2.1", want: policyOf("Deny", contextOfToken)},
		{name: "key from elsewhere", headers: bearer(goodKey), ip: "192.0.2.1", want: policyOf("Deny", contextOfKey)},
		{name: "nothing", wantErr: unauthorized},
		{name: "bad token", headers: bearer("a.b.c"), wantErr: unauthorized},
		{name: "token as subprotocol", headers: offer("streaming.v1, " + goodToken), wantErr: unauthorized},
		{name: "another key", headers: bearer("ssk_" + strings.Repeat("B", 42) + "A"), wantErr: unauthorized},
		{name: "half a key", headers: bearer(goodKey[:30]), wantErr: unauthorized},
		{name: "expired key", headers: bearer(goodKey), change: func(w *world) { w.key.ExpiresAt = now }, wantErr: unauthorized},
		{name: "blocked", headers: bearer(goodKey), change: func(w *world) { w.account.BlockedUntil = now.Add(time.Hour) }, wantErr: unauthorized},
		{name: "blocked once", headers: bearer(goodKey), change: func(w *world) { w.account.BlockedUntil = now }, want: policyOf("Allow", contextOfKey)},
		{name: "disabled", headers: bearer(goodKey), change: func(w *world) { w.user.Enabled = false }, wantErr: unauthorized},
		{name: "deleted", headers: bearer(goodKey), change: func(w *world) { w.userErr = directory.ErrNoUser }, wantErr: unauthorized},
		{name: "the name is another's", headers: bearer(goodKey), change: func(w *world) { w.user.ID = "user-2" }, wantErr: unauthorized},
		{name: "no database for the key", headers: bearer(goodKey), change: func(w *world) { w.keyErr = life.ErrUnavailable }, wantErr: failed},
		{name: "no database for the account", headers: bearer(goodKey), change: func(w *world) { w.storeErr = life.ErrUnavailable }, wantErr: failed},
		{name: "no user pool", headers: bearer(goodKey), change: func(w *world) { w.userErr = errors.New("connection refused") }, wantErr: failed},
		{name: "user pool throttled", headers: bearer(goodKey), change: func(w *world) { w.userErr = directory.ErrThrottled }, wantErr: failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			if tt.change != nil {
				tt.change(w)
			}
			a := authorizer.Authorizer{
				Verifier: verifier{}, Keys: w.keys(),
				Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				Log:      slog.New(slog.DiscardHandler),
			}
			got, err := a.Handle(t.Context(), callEvent(tt.headers, tt.ip))
			if tt.wantErr != "" {
				if err == nil || err.Error() != tt.wantErr {
					t.Fatalf("%v, want %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if body, err := json.Marshal(got); err != nil || string(body) != tt.want {
				t.Errorf("%v\n got %s\nwant %s", err, body, tt.want)
			}
		})
	}
}

// A key opens no socket, and nothing where keys are off.
func TestKeysAreRefusedElsewhere(t *testing.T) {
	t.Parallel()
	a := authorizer.Authorizer{Verifier: verifier{}, Keys: newWorld().keys(), Log: slog.New(slog.DiscardHandler)}
	for _, headers := range []map[string]string{bearer(goodKey), offer("streaming.v1, " + goodKey)} {
		if _, err := a.Handle(t.Context(), event(headers, "")); err == nil || err.Error() != "Unauthorized" {
			t.Errorf("socket: %v", err)
		}
	}
	a.Keys = nil
	if _, err := a.Handle(t.Context(), callEvent(bearer(goodKey), "")); err == nil || err.Error() != "Unauthorized" {
		t.Errorf("keys are off: %v", err)
	}
	if _, err := a.Handle(t.Context(), callEvent(bearer(goodToken), "")); err != nil {
		t.Errorf("a token where keys are off: %v", err)
	}
}

// Two credentials are none: which one counts is not for a proxy to choose.
func TestTwoCredentialsAreNone(t *testing.T) {
	t.Parallel()
	a := authorizer.Authorizer{Verifier: verifier{}, Log: slog.New(slog.DiscardHandler)}
	e := callEvent(nil, "")
	e.MultiValueHeaders = map[string][]string{"Authorization": {"Bearer " + goodToken, "Bearer x.y.z"}}
	if _, err := a.Handle(t.Context(), e); err == nil || err.Error() != "Unauthorized" {
		t.Errorf("%v", err)
	}
}

// While the user pool is throttled its last word counts, for five minutes, and
// blocks and expiry hold all the same.
func TestOwnersAreRememberedWhileThePoolIsThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := authorizer.Authorizer{Verifier: verifier{}, Keys: w.keys(), Log: slog.New(slog.DiscardHandler)}
	step := func(what string, allowed bool) {
		t.Helper()
		if _, err := a.Handle(t.Context(), callEvent(bearer(goodKey), "")); (err == nil) != allowed {
			t.Errorf("%s: %v", what, err)
		}
	}
	step("asked", true)
	w.userErr = directory.ErrThrottled
	w.now = now.Add(5 * time.Minute)
	step("throttled, five minutes later", true)
	w.account.BlockedUntil = w.now.Add(time.Hour)
	step("throttled, but blocked", false)
	w.account.BlockedUntil = time.Time{}
	w.now = w.now.Add(time.Millisecond)
	step("throttled for longer", false)

	w.userErr, w.user.Enabled = nil, false
	step("disabled", false)
	w.userErr = directory.ErrThrottled
	step("throttled after that", false)
	w.userErr, w.user.Enabled = nil, true
	step("enabled", true)
	w.userErr = directory.ErrNoUser
	step("deleted", false)
	w.userErr = directory.ErrThrottled
	step("throttled after that", false)
}

// What the policy names is bounded by AWS: 512 characters for a resource.
func TestPolicyResource(t *testing.T) {
	t.Parallel()
	a := authorizer.Authorizer{Verifier: verifier{}, Log: slog.New(slog.DiscardHandler)}
	e := callEvent(bearer(goodToken), "")
	e.MethodArn = callARN + strings.Repeat("/x", 1000)
	got, err := a.Handle(t.Context(), e)
	if err != nil || got.PolicyDocument.Statement[0].Resource[0] != keyPaths {
		t.Errorf("%+v, %v", got, err)
	}
	e.MethodArn = "arn"
	if _, err := a.Handle(t.Context(), e); err == nil || err.Error() == "Unauthorized" {
		t.Errorf("an ARN of nothing: %v", err)
	}
}

func TestKeysAreNeverLogged(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	w := newWorld()
	a := authorizer.Authorizer{Verifier: verifier{}, Keys: w.keys(), Log: slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, change := range []func(){func() {}, func() { w.keyErr = life.ErrNotFound }, func() { w.keyErr = errors.New("x") }} {
		change()
		_, _ = a.Handle(t.Context(), callEvent(bearer(goodKey), ""))
	}
	if logs.Len() == 0 || strings.Contains(logs.String(), "AAAA") || strings.Contains(logs.String(), w.key.Hash[:8]) {
		t.Error(logs.String())
	}
}
