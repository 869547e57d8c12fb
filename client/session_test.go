package client_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

// idToken is a token that was issued at a moment of the pool's clock and lives
// for a while.
func idToken(name string, issuedAt time.Time, life time.Duration) string {
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, name, issuedAt.Unix(), issuedAt.Add(life).Unix())
	return "h." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".s"
}

// pool is a user pool whose ID tokens are numbered and live five minutes, while
// its access tokens live an hour.
type pool struct {
	clock   func() time.Time
	refused atomic.Pointer[string] // exception of each renewal
	pause   time.Duration          // before each answer
	issued  atomic.Int64
	asked   atomic.Int64
}

func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(p.pause)
	if r.Header.Get("X-Amz-Target") == "AWSCognitoIdentityProviderService.RevokeToken" {
		_, _ = w.Write([]byte("{}"))
		return
	}
	p.asked.Add(1)
	if refused := p.refused.Load(); refused != nil {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": *refused})
		return
	}
	clock := p.clock
	if clock == nil {
		clock = time.Now
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"AuthenticationResult": map[string]any{
		"IdToken": idToken(p.name(p.issued.Add(1)), clock(), 5*time.Minute), "RefreshToken": "refresh", "ExpiresIn": 3600,
	}})
}

func (p *pool) name(n int64) string { return fmt.Sprintf("token-%d", n) }

func (p *pool) refuse(exception string) { p.refused.Store(&exception) }

func (p *pool) signIn(t *testing.T) *client.Session {
	t.Helper()
	session, err := p.auth().SignIn(t.Context(), "a@example.com", "pw")
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func (p *pool) auth() *client.Auth {
	return client.NewAuth(client.Config{Region: "eu-west-1"}, inProcess(p))
}

// nameOf returns the name in a token of a pool.
func nameOf(t *testing.T, token string) string {
	t.Helper()
	var claims struct{ Sub string }
	raw, err := base64.RawURLEncoding.DecodeString(token[2 : len(token)-2])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		t.Fatalf("token %q", token)
	}
	return claims.Sub
}

func wantNamed(t *testing.T, session *client.Session, want string) {
	t.Helper()
	token, err := session.IDToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := nameOf(t, token); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The life of the access token was taken for that of the ID token, so that an
// expired one was handed out for 55 minutes.
func TestAnIDTokenLivesItsOwnLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session := (&pool{}).signIn(t)
		time.Sleep(3*time.Minute + 59*time.Second)
		wantNamed(t, session, "token-1")
		time.Sleep(2 * time.Second)
		wantNamed(t, session, "token-2")
		time.Sleep(4*time.Minute + time.Second)
		wantNamed(t, session, "token-3")
	})
}

func TestTheClocksOfPoolAndClientMayDiffer(t *testing.T) {
	t.Parallel()
	for _, difference := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			session := (&pool{clock: func() time.Time { return time.Now().Add(difference) }}).signIn(t)
			time.Sleep(3*time.Minute + 59*time.Second)
			wantNamed(t, session, "token-1")
			time.Sleep(2 * time.Second)
			wantNamed(t, session, "token-2")
		})
	}
}

func TestManyCallersShareOneRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pool{pause: time.Second}
		session := p.auth().Restore("refresh")
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { wantNamed(t, session, "token-1") })
		}
		all.Wait()
		if asked := p.asked.Load(); asked != 1 {
			t.Errorf("%d renewals for 50 callers", asked)
		}
	})
}

func TestManyCallersShareOneFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pool{}
		session := p.signIn(t)
		p.refuse("TooManyRequestsException")
		p.pause = time.Second
		time.Sleep(4*time.Minute + time.Second) // less than a fifth is left
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { wantNamed(t, session, "token-1") })
		}
		all.Wait()
		wantNamed(t, session, "token-1")
		if asked := p.asked.Load() - 1; asked != 1 {
			t.Errorf("%d renewals while one fails", asked)
		}
		p.refused.Store(nil)
		time.Sleep(5 * time.Second)
		wantNamed(t, session, "token-2")
	})
}

func TestACallerThatLeavesDoesNotEndTheRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pool{pause: time.Second}
		session := p.auth().Restore("refresh")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := session.IDToken(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		wantNamed(t, session, "token-1")
		if asked := p.asked.Load(); asked != 1 {
			t.Errorf("%d renewals", asked)
		}
	})
}

func TestARenewalDoesNotUndoASignOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pool{pause: time.Second}
		session := p.auth().Restore("refresh")
		renewed := make(chan error, 1)
		go func() {
			_, err := session.IDToken(t.Context())
			renewed <- err
		}()
		synctest.Wait()
		if err := session.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-renewed; err == nil {
			t.Error("a token after signing out")
		}
		if _, err := session.IDToken(t.Context()); err == nil || session.RefreshToken() != "" {
			t.Errorf("the session is back: %v, refresh token %q", err, session.RefreshToken())
		}
	})
}

// gatekeeper has a service refuse all tokens of a pool but one.
type gatekeeper struct {
	valid   atomic.Pointer[string]
	refused atomic.Int64
}

func newGatekeeper(t *testing.T, f *fakeService, valid string) *gatekeeper {
	t.Helper()
	g := &gatekeeper{}
	g.accept(valid)
	admits := func(w http.ResponseWriter, r *http.Request) bool {
		if nameOf(t, r.Header.Get("Authorization")) == *g.valid.Load() {
			return true
		}
		g.refused.Add(1)
		refuse(w, http.StatusUnauthorized, protocol.CodeUnauthenticated, "")
		return false
	}
	f.handshake = admits
	f.submit = func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if admits(w, r) {
			accept(w, requestID)
		}
	}
	return g
}

func (g *gatekeeper) accept(name string) { g.valid.Store(&name) }

func TestACallThatIsRefusedRenewsOnceAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		p := &pool{}
		c := f.clientWithTokens(p.signIn(t))
		gate := newGatekeeper(t, f, "token-2")
		if _, err := c.Submit(t.Context(), protocol.SubmitRequest{Prompt: "Hello"}); err != nil {
			t.Fatal(err)
		}
		if asked := p.asked.Load(); asked != 2 {
			t.Errorf("%d tokens were asked for, want the first and one renewal", asked)
		}
		gate.accept("none")
		var refusal *client.APIError
		if _, err := c.Submit(t.Context(), protocol.SubmitRequest{Prompt: "Hello"}); !errors.As(err, &refusal) || refusal.Status != http.StatusUnauthorized {
			t.Errorf("error %v", err)
		}
		if asked := p.asked.Load(); asked != 3 {
			t.Errorf("%d tokens were asked for: a refused token is renewed once", asked)
		}
	})
}

func TestAHandshakeThatIsRefusedRenewsAtOnce(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		p := &pool{}
		states := make(chan client.Connection, 10)
		c := f.clientWithTokens(p.signIn(t), client.WithConnectionHook(func(s client.Connection) { states <- s }))
		gate := newGatekeeper(t, f, "token-2")
		begun := time.Now()
		c.Connect()
		for state := range states {
			if state == client.Open {
				break
			}
		}
		if took := time.Since(begun); took != 0 || gate.refused.Load() != 1 || p.asked.Load() != 2 {
			t.Errorf("open after %v, %d refusals and %d tokens", took, gate.refused.Load(), p.asked.Load())
		}
	})
}

// A renewal that fails for a moment is neither the end of a call nor of a session.
func TestATransientFailureOfTheRenewalIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, exception := range []string{"InternalErrorException", "TooManyRequestsException"} {
		serve(t, func(t *testing.T, f *fakeService) {
			p := &pool{}
			session := p.signIn(t)
			c := f.clientWithTokens(session)
			gate := newGatekeeper(t, f, "token-2")
			p.refuse(exception)
			time.AfterFunc(100*time.Millisecond, func() { p.refused.Store(nil) })
			if _, err := c.Submit(t.Context(), protocol.SubmitRequest{Prompt: "Hello"}); err != nil {
				t.Errorf("%s: %v", exception, err)
			}
			// The same while the token has expired, so that there is none to send.
			gate.accept("token-3")
			time.Sleep(5 * time.Minute)
			p.refuse(exception)
			time.AfterFunc(100*time.Millisecond, func() { p.refused.Store(nil) })
			if _, err := c.Usage(t.Context()); err != nil {
				t.Errorf("%s: %v", exception, err)
			}
		})
	}
}

func TestARefusedRenewalEndsACallAtOnce(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		p := &pool{}
		c := f.clientWithTokens(p.signIn(t))
		newGatekeeper(t, f, "none")
		p.refuse("NotAuthorizedException")
		begun := time.Now()
		_, err := c.Submit(t.Context(), protocol.SubmitRequest{Prompt: "Hello"})
		var refusal *client.APIError
		var ended *client.AuthError
		if !errors.As(err, &refusal) || !errors.As(err, &ended) || ended.Temporary() || time.Since(begun) != 0 {
			t.Errorf("error %v after %v", err, time.Since(begun))
		}
	})
}
