package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/client"
)

// fakeCognito answers each operation with what a test gives for it.
type fakeCognito struct {
	answers map[string]string // by operation; a leading "!" is an exception

	mu    sync.Mutex
	calls []string // operation and input
}

func (f *fakeCognito) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := r.Header.Get("X-Amz-Target")[len("AWSCognitoIdentityProviderService."):]
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, operation+" "+string(body))
	answer := f.answers[operation]
	if answer != "" && answer[0] == '!' {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": answer[1:], "message": "no"})
		return
	}
	_, _ = io.WriteString(w, answer)
}

func newAuth(t *testing.T, f *fakeCognito) *client.Auth {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return client.NewAuth(client.Config{UserPoolClientID: "app", CognitoEndpoint: server.URL}, nil)
}

const tokens = `{"AuthenticationResult":{"IdToken":"id-%d","RefreshToken":"refresh","ExpiresIn":3600}}`

func TestSignIn(t *testing.T) {
	t.Parallel()
	f := &fakeCognito{answers: map[string]string{"InitiateAuth": fmt.Sprintf(tokens, 1)}}
	session, err := newAuth(t, f).SignIn(t.Context(), "a@example.com", "secret")
	if err != nil {
		t.Fatal(err)
	}
	token, err := session.IDToken(t.Context())
	if token != "id-1" || err != nil || session.RefreshToken() != "refresh" {
		t.Errorf("token %q, error %v", token, err)
	}
	want := `InitiateAuth {"AuthFlow":"USER_PASSWORD_AUTH","AuthParameters":{"PASSWORD":"secret","USERNAME":"a@example.com"},"ClientId":"app"}`
	if len(f.calls) != 1 || f.calls[0] != want {
		t.Errorf("calls %q", f.calls)
	}
}

func TestSignInRefused(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"!NotAuthorizedException":                                 "NotAuthorizedException: no",
		"!com.amazonaws.cognito#UserNotConfirmedException":        "UserNotConfirmedException: no",
		`{"ChallengeName":"SMS_MFA","Session":"s"}`:               "signing in: the user pool asks for SMS_MFA, which this client cannot answer",
		`{"ChallengeName":"SOFTWARE_TOKEN_MFA","Session":"s"}`:    "signing in: the user pool asks for a code of the authenticator app (SOFTWARE_TOKEN_MFA)",
		`{"ChallengeName":"MFA_SETUP","Session":"s"}`:             "signing in: the user pool wants an authenticator app to be set up (MFA_SETUP)",
		`{"ChallengeName":"NEW_PASSWORD_REQUIRED","Session":"s"}`: "signing in: the password is temporary and has to be replaced (NEW_PASSWORD_REQUIRED)",
	} {
		_, err := newAuth(t, &fakeCognito{answers: map[string]string{"InitiateAuth": answer}}).SignIn(t.Context(), "a@example.com", "x")
		if err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", answer, err, want)
		}
	}
}

func TestATemporaryPasswordIsReplaced(t *testing.T) {
	t.Parallel()
	f := &fakeCognito{answers: map[string]string{
		"InitiateAuth":           `{"ChallengeName":"NEW_PASSWORD_REQUIRED","Session":"s","ChallengeParameters":{"USER_ID_FOR_SRP":"user-1"}}`,
		"RespondToAuthChallenge": fmt.Sprintf(tokens, 2),
	}}
	auth := newAuth(t, f)
	_, err := auth.SignIn(t.Context(), "a@example.com", "temporary")
	var challenge *client.ChallengeError
	if !errors.As(err, &challenge) || challenge.Email != "a@example.com" {
		t.Fatalf("error %v", err)
	}
	session, err := auth.SetNewPassword(t.Context(), challenge, "fresh")
	if err != nil {
		t.Fatal(err)
	}
	if token, _ := session.IDToken(t.Context()); token != "id-2" {
		t.Errorf("token %q", token)
	}
	want := `RespondToAuthChallenge {"ChallengeName":"NEW_PASSWORD_REQUIRED","ChallengeResponses":{"NEW_PASSWORD":"fresh","USERNAME":"user-1"},"ClientId":"app","Session":"s"}`
	if f.calls[1] != want {
		t.Errorf("call %s", f.calls[1])
	}
}

func TestSignUpAndPasswords(t *testing.T) {
	t.Parallel()
	f := &fakeCognito{answers: map[string]string{
		"SignUp": `{"UserConfirmed":false}`, "ConfirmSignUp": `{}`, "ResendConfirmationCode": `{}`,
		"ForgotPassword": `{}`, "ConfirmForgotPassword": "!CodeMismatchException",
	}}
	auth := newAuth(t, f)
	for name, err := range map[string]error{
		"sign up": auth.SignUp(t.Context(), "a@example.com", "pw"),
		"confirm": auth.ConfirmSignUp(t.Context(), "a@example.com", "123456"),
		"resend":  auth.ResendCode(t.Context(), "a@example.com"),
		"forgot":  auth.ForgotPassword(t.Context(), "a@example.com"),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var refused *client.AuthError
	if err := auth.ResetPassword(t.Context(), "a@example.com", "1", "pw"); !errors.As(err, &refused) || refused.Code != "CodeMismatchException" {
		t.Errorf("reset: %v", err)
	}
	want := map[string]bool{
		`SignUp {"ClientId":"app","Password":"pw","UserAttributes":[{"Name":"email","Value":"a@example.com"}],"Username":"a@example.com"}`: true,
		`ConfirmSignUp {"ClientId":"app","ConfirmationCode":"123456","Username":"a@example.com"}`:                                          true,
		`ResendConfirmationCode {"ClientId":"app","Username":"a@example.com"}`:                                                             true,
		`ForgotPassword {"ClientId":"app","Username":"a@example.com"}`:                                                                     true,
		`ConfirmForgotPassword {"ClientId":"app","ConfirmationCode":"1","Password":"pw","Username":"a@example.com"}`:                       true,
	}
	for _, call := range f.calls {
		if !want[call] {
			t.Errorf("call %s", call)
		}
	}
}

// inProcess answers without a network, for tests on synctest's clock.
func inProcess(cognito http.Handler) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		cognito.ServeHTTP(recorder, r)
		return recorder.Result(), r.Context().Err()
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheTokenIsRenewedBeforeItExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeCognito{answers: map[string]string{"InitiateAuth": fmt.Sprintf(tokens, 1)}}
		session, err := client.NewAuth(client.Config{Region: "eu-west-1"}, inProcess(f)).SignIn(t.Context(), "a@example.com", "pw")
		if err != nil {
			t.Fatal(err)
		}
		f.answers["InitiateAuth"] = fmt.Sprintf(tokens, 2)
		time.Sleep(57 * time.Minute)
		wantToken(t, session, "id-1")
		time.Sleep(90 * time.Second)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { wantToken(t, session, "id-2") })
		}
		all.Wait()
		if len(f.calls) != 2 {
			t.Errorf("%d calls, want one renewal", len(f.calls))
		}
		f.answers["InitiateAuth"] = "!InternalErrorException"
		time.Sleep(59 * time.Minute)
		wantToken(t, session, "id-2")
		time.Sleep(2 * time.Minute)
		if _, err := session.IDToken(t.Context()); err == nil {
			t.Error("an expired token was given out")
		}
	})
}

func wantToken(t *testing.T, session *client.Session, want string) {
	t.Helper()
	if got, err := session.IDToken(t.Context()); got != want || err != nil {
		t.Errorf("token %q, error %v, want %q", got, err, want)
	}
}

func TestARefusedTokenIsRenewedUnlessItWas(t *testing.T) {
	t.Parallel()
	f := &fakeCognito{answers: map[string]string{"InitiateAuth": fmt.Sprintf(tokens, 2)}}
	session := newAuth(t, f).Restore("refresh")
	wantToken(t, session, "id-2")
	if err := session.Renew(t.Context(), "id-1"); err != nil || len(f.calls) != 1 {
		t.Errorf("error %v, %d calls", err, len(f.calls))
	}
	if err := session.Renew(t.Context(), "id-2"); err != nil || len(f.calls) != 2 {
		t.Errorf("error %v, %d calls", err, len(f.calls))
	}
}

func TestSignOutRevokes(t *testing.T) {
	t.Parallel()
	f := &fakeCognito{answers: map[string]string{"InitiateAuth": fmt.Sprintf(tokens, 1), "RevokeToken": `{}`}}
	session := newAuth(t, f).Restore("refresh")
	if err := session.SignOut(t.Context()); err != nil || f.calls[0] != `RevokeToken {"ClientId":"app","Token":"refresh"}` {
		t.Errorf("error %v, calls %q", err, f.calls)
	}
	if _, err := session.IDToken(context.Background()); err == nil {
		t.Error("a token after signing out")
	}
}

func TestFetchConfig(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"restUrl":"http://h/v1","webSocketUrl":"ws://h/v1","region":"eu-west-1","userPoolClientId":"app","more":1}`: "",
		`{"webSocketUrl":"ws://h/v1"}`: "configuration without region, restUrl, userPoolClientId",
		`{"restUrl":"http://h/v1","webSocketUrl":"http://h/v1","region":"r","userPoolClientId":"app"}`: "configuration: webSocketUrl must begin with ws:// or wss://",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		cfg, err := client.FetchConfig(t.Context(), server.URL)
		server.Close()
		if got := fmt.Sprint(err); want != "" && got != want || want == "" && (err != nil || cfg.UserPoolClientID != "app") {
			t.Errorf("%s: %+v, %v", body, cfg, err)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if _, err := client.FetchConfig(t.Context(), server.URL); err == nil {
		t.Error("a missing configuration was accepted")
	}
}
