package e2e_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

// Each token has the life that is set for it, and no client may take the one for
// the other.
func TestTokensHaveTheirOwnLives(t *testing.T) {
	t.Parallel()
	tokens := newPerson(t, ownCloud(t, "auth.idTokenValidityMinutes=5", "auth.accessTokenValidityMinutes=60")).tokens
	for name, token := range map[string]struct {
		text string
		want time.Duration
	}{"ID": {tokens.IDToken, 5 * time.Minute}, "access": {tokens.AccessToken, time.Hour}} {
		if got := lifeOf(t, token.text); got != token.want {
			t.Errorf("the %s token lives %v, want %v", name, got, token.want)
		}
	}
}

func lifeOf(t *testing.T, token string) time.Duration {
	t.Helper()
	claims := claimsOf(t, token)
	issued, err := claims.GetIssuedAt()
	if err != nil {
		t.Fatal(err)
	}
	expires, err := claims.GetExpirationTime()
	if err != nil {
		t.Fatal(err)
	}
	return expires.Sub(issued.Time)
}

// A session of the Go client with the user pool of the local cloud, over two
// hours of a clock that both share.
func TestEveryTokenOfASessionIsValid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		users := cognito.New(cognito.Deps{Guard: admitAll{}})
		pool, err := users.PutUserPool(cognito.UserPool{Name: "users", UsernameAttributes: []string{"email"}, AutoVerifiedAttributes: []string{"email"}})
		if err != nil {
			t.Fatal(err)
		}
		app, err := users.PutClient(cognito.Client{
			UserPoolID: pool.ID, ExplicitAuthFlows: []string{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"},
			IDTokenValidity: 5 * time.Minute, AccessTokenValidity: time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := users.CreateUser(pool.ID, "a@example.com", "Passw0rd!x"); err != nil {
			t.Fatal(err)
		}
		auth := client.NewAuth(client.Config{Region: "us-east-1", UserPoolClientID: app.ID}, inProcess(users))
		session, err := auth.SignIn(t.Context(), "a@example.com", "Passw0rd!x")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for range 2 * 60 * 2 {
			time.Sleep(30 * time.Second)
			token, err := session.IDToken(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			seen[token] = true
			if _, err := users.VerifyToken(cognito.UserPoolARN(pool.ID), token); err != nil {
				t.Fatalf("a token that is not valid: %v", err)
			}
		}
		if len(seen) != 31 { // the first, and one every four minutes
			t.Errorf("%d tokens in two hours", len(seen))
		}
	})
}

type admitAll struct{}

func (admitAll) Admit(context.Context, awsapi.Call) (lost bool, refused *awsapi.Error) {
	return false, nil
}

// inProcess calls a handler without a network.
func inProcess(handler http.Handler) *http.Client {
	return &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		return recorder.Result(), nil
	})}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
