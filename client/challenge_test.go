package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

// userPool is a user pool that asks for codes, with one user whose password is
// temporary.
type userPool struct {
	*client.Auth
	skew atomic.Int64 // of the pool's clock, in nanoseconds
}

const (
	newcomer  = "new+comer@example.com"
	temporary = "Temporary-9"
	permanent = "Permanent-9"
)

type admitsAll struct{}

func (admitsAll) Admit(context.Context, awsapi.Call) (bool, *awsapi.Error) { return false, nil }

func newUserPool(t *testing.T) *userPool {
	t.Helper()
	p := &userPool{}
	service := cognito.New(cognito.Deps{Guard: admitsAll{}, Now: p.now})
	pool, err := service.PutUserPool(cognito.UserPool{UsernameAttributes: []string{"email"}, MFA: "ON", SoftwareTokenMFA: true})
	if err != nil {
		t.Fatal(err)
	}
	app, err := service.PutClient(cognito.Client{UserPoolID: pool.ID, ExplicitAuthFlows: []string{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	body := `{"UserPoolId":"` + pool.ID + `","Username":"` + newcomer + `","TemporaryPassword":"` + temporary + `"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.AdminCreateUser")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=x")
	response, err := server.Client().Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("making the user: %v %v", response, err)
	}
	_ = response.Body.Close()
	p.Auth = client.NewAuth(client.Config{UserPoolClientID: app.ID, CognitoEndpoint: server.URL}, nil)
	return p
}

func (p *userPool) now() time.Time { return time.Now().Add(time.Duration(p.skew.Load())) }

// show is the code that an authenticator app shows.
func (p *userPool) show(t *testing.T, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, p.now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestChallengesAreAnsweredOneAfterAnother(t *testing.T) {
	t.Parallel()
	p := newUserPool(t)
	var asked []string
	var secret string
	note := func(what string, refused error) {
		if auth, ok := errors.AsType[*client.AuthError](refused); ok {
			what += " after " + auth.Code
		}
		asked = append(asked, what)
	}
	first := func(refused error, wrong, right string) (string, error) {
		if refused == nil {
			return wrong, nil
		}
		return right, nil
	}
	answers := client.Answers{
		NewPassword: func(_ context.Context, refused error) (string, error) {
			note("password", refused)
			return first(refused, "short", permanent)
		},
		SetUp: func(_ context.Context, app *client.Authenticator, refused error) (string, error) {
			note("set-up", refused)
			secret = app.Secret
			key, err := otp.NewKeyFromURL(app.URI("Chat & Co"))
			if err != nil || key.Secret() != secret || key.Issuer() != "Chat & Co" || key.AccountName() != newcomer || key.Type() != "totp" {
				t.Errorf("the URI %q says %v, %v", app.URI("Chat & Co"), key, err)
			}
			return first(refused, "000000", p.show(t, secret))
		},
		Code: func(_ context.Context, refused error) (string, error) {
			note("code", refused)
			return first(refused, "000000", p.show(t, secret))
		},
	}
	session, err := p.SignInWith(t.Context(), newcomer, temporary, answers)
	if err != nil {
		t.Fatal(err)
	}
	if token, err := session.IDToken(t.Context()); token == "" || err != nil {
		t.Errorf("token %q, %v", token, err)
	}
	p.skew.Store(int64(time.Minute))
	if session, err = p.SignInWith(t.Context(), newcomer, permanent, answers); err != nil || session.RefreshToken() == "" {
		t.Errorf("the second sign-in: %v", err)
	}
	want := "password, password after InvalidPasswordException, set-up, set-up after EnableSoftwareTokenMFAException, code, code after CodeMismatchException"
	if got := strings.Join(asked, ", "); got != want {
		t.Errorf("asked for\n%s, want\n%s", got, want)
	}
}

func TestAChallengeWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	p := newUserPool(t)
	tired := errors.New("the user is tired")
	for want, answers := range map[string]client.Answers{
		"NEW_PASSWORD_REQUIRED": {},
		"the user is tired":     {NewPassword: func(context.Context, error) (string, error) { return "", tired }},
	} {
		if _, err := p.SignInWith(t.Context(), newcomer, temporary, answers); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	password := func(context.Context, error) (string, error) { return permanent, nil }
	_, err := p.SignInWith(t.Context(), newcomer, temporary, client.Answers{NewPassword: password})
	if challenge, ok := errors.AsType[*client.ChallengeError](err); !ok || challenge.Name != "MFA_SETUP" || challenge.Email != newcomer {
		t.Errorf("error %v, want the challenge MFA_SETUP", err)
	}
	if _, err = p.SignInWith(t.Context(), newcomer, "wrong", client.Answers{NewPassword: password}); err == nil || !strings.HasPrefix(err.Error(), "NotAuthorizedException") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestASpentChallengeIsNotAskedForEver: a session that is over ends the sign-in.
func TestASpentChallengeIsNotAskedForEver(t *testing.T) {
	t.Parallel()
	p := newUserPool(t)
	calls := 0
	_, err := p.SignInWith(t.Context(), newcomer, temporary, client.Answers{NewPassword: func(context.Context, error) (string, error) {
		calls++
		p.skew.Store(int64(time.Hour))
		return permanent, nil
	}})
	if auth, ok := errors.AsType[*client.AuthError](err); !ok || auth.Code != "NotAuthorizedException" || calls != 1 {
		t.Errorf("error %v after %d questions", err, calls)
	}
}
