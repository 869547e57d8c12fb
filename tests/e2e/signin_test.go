package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/protocol"
)

// Where the service requires codes, the password alone opens nothing: whoever
// signs in sets an authenticator app up, and is asked for its codes from then on.
func TestSigningInWithTwoSteps(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, "auth.mfa=ON")
	config, err := client.FetchConfig(t.Context(), h.URL+"/config.json")
	if err != nil {
		t.Fatal(err)
	}
	auth := client.NewAuth(config, nil)
	email := newEmail(t)
	if err := auth.SignUp(t.Context(), email, localcloudtest.Password); err != nil {
		t.Fatal(err)
	}
	var mails []struct{ Code string }
	h.Get(t, "/_local/outbox?to="+email, &mails)
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	if err := auth.ConfirmSignUp(t.Context(), email, mails[0].Code); err != nil {
		t.Fatal(err)
	}
	answer := h.Cognito(t, "InitiateAuth", map[string]any{
		"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": map[string]string{"USERNAME": email, "PASSWORD": localcloudtest.Password},
	})
	var asked struct {
		ChallengeName        string
		AuthenticationResult *localcloudtest.Tokens
	}
	answer.Decode(t, &asked)
	if asked.ChallengeName != "MFA_SETUP" || asked.AuthenticationResult != nil {
		t.Fatalf("the password alone is answered with %s", answer.Body)
	}

	var secret string
	answers := client.Answers{
		SetUp: func(_ context.Context, app *client.Authenticator, _ error) (string, error) {
			secret = app.Secret
			return totp.GenerateCode(secret, time.Now())
		},
		// A code that was used at the set-up is refused; the app's next one passes
		// already, as clocks may differ by one.
		Code: func(context.Context, error) (string, error) {
			return totp.GenerateCode(secret, time.Now().Add(30*time.Second))
		},
	}
	for _, step := range []string{"set-up", "code"} {
		session, err := auth.SignInWith(t.Context(), email, localcloudtest.Password, answers)
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		token, err := session.IDToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if used := h.Rest(t, token, http.MethodGet, "/usage", nil); used.Status != http.StatusOK {
			t.Errorf("%s: %d %s", step, used.Status, used.Body)
		}
		c := client.New(config, session)
		stream, err := c.Submit(t.Context(), protocol.SubmitRequest{Prompt: "Hello", System: "script: tokens=5 rate=0"})
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		for _, err := range stream.Events(t.Context()) {
			if err != nil {
				t.Errorf("%s: %v", step, err)
			}
		}
		c.Close()
	}
}
