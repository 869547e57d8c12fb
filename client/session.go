package client

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// TokenSource gives the ID token for a call. Session and StaticToken are the
// ones of this package.
type TokenSource interface {
	// IDToken returns a token that is valid for some time yet.
	IDToken(ctx context.Context) (string, error)
}

// Renewer is a TokenSource that can replace a token which the service refused.
type Renewer interface {
	// Renew replaces the token unless it is another one than stale already.
	Renew(ctx context.Context, stale string) error
}

// StaticToken is a TokenSource of one ID token, which is never renewed.
type StaticToken string

// IDToken returns the token.
func (t StaticToken) IDToken(context.Context) (string, error) { return string(t), nil }

// Session is a signed-in user. It renews its ID token before it expires, and
// is safe for concurrent use.
type Session struct {
	auth *Auth

	mu           sync.Mutex
	idToken      string
	refreshToken string
	receivedAt   time.Time     // of the ID token
	life         time.Duration // of the ID token, from its receipt
	renewAfter   time.Duration // from its receipt
	renewal      *renewal      // under way; nil if none is
}

// renewal is one call for a new token, whose end all callers wait for.
type renewal struct {
	done chan struct{}
	err  error // set before done is closed
}

var (
	_ TokenSource = (*Session)(nil)
	_ Renewer     = (*Session)(nil)
)

// Times of a renewal.
const (
	// renewalTimeout bounds a renewal, which its callers' contexts do not end.
	renewalTimeout = 30 * time.Second
	// renewalPause is between renewals that fail while the token is still valid.
	renewalPause = 5 * time.Second
)

// errSessionEnded is what Cognito answers for a refresh token that has ended.
var errSessionEnded = &AuthError{Status: http.StatusBadRequest, Code: notAuthorized, Message: "the session has ended, sign in again"}

// IDToken returns the session's ID token, renewed if less than a fifth of its
// life, and at most two minutes, are left. If renewing fails, a token that is
// still valid is returned all the same.
func (s *Session) IDToken(ctx context.Context) (string, error) {
	s.mu.Lock()
	token, fresh := s.idToken, since(s.receivedAt) < s.renewAfter
	s.mu.Unlock()
	if fresh {
		return token, nil
	}
	err := s.Renew(ctx, token)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && since(s.receivedAt) >= s.life {
		return "", err
	}
	return s.idToken, nil
}

// Renew replaces the ID token if it is still stale, the one that was refused.
// Callers share one renewal.
func (s *Session) Renew(ctx context.Context, stale string) error {
	s.mu.Lock()
	if s.idToken != stale {
		s.mu.Unlock()
		return nil
	}
	if s.renewal == nil {
		s.renewal = &renewal{done: make(chan struct{})}
		go s.renew(context.WithoutCancel(ctx), s.renewal, s.refreshToken)
	}
	current := s.renewal
	s.mu.Unlock()
	select {
	case <-current.done:
		return current.err
	case <-ctx.Done():
		return fmt.Errorf("renewing token: %w", ctx.Err())
	}
}

// RefreshToken returns the token with which Auth.Restore continues the session
// in another process. It is a secret.
func (s *Session) RefreshToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshToken
}

// SignOut revokes the refresh token. ID tokens that were issued already are
// accepted by the service until they expire.
func (s *Session) SignOut(ctx context.Context) error {
	s.mu.Lock()
	token := s.refreshToken
	s.idToken, s.refreshToken, s.life, s.renewAfter = "", "", 0, 0
	s.mu.Unlock()
	if token == "" {
		return nil
	}
	return s.auth.call(ctx, "RevokeToken", map[string]any{"ClientId": s.auth.clientID, "Token": token}, nil)
}

// renew makes one renewal.
func (s *Session) renew(ctx context.Context, current *renewal, refreshToken string) {
	ctx, cancel := context.WithTimeout(ctx, renewalTimeout)
	defer cancel()
	var result authResult
	err := error(errSessionEnded)
	if refreshToken != "" {
		result, err = s.auth.refresh(ctx, refreshToken)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.refreshToken != refreshToken: // signed out meanwhile
		err = errSessionEnded
	case err == nil:
		s.take(result)
	default:
		s.renewAfter = min(s.life, since(s.receivedAt)+renewalPause)
	}
	s.renewal = nil
	current.err = err
	close(current.done)
}

// take keeps new tokens. The life of the ID token is its own, which is not that
// of the access token, and is counted from its receipt, so that a wrong clock
// does no harm.
func (s *Session) take(result authResult) {
	s.idToken, s.receivedAt = result.IDToken, time.Now()
	s.life = result.lifeOfIDToken()
	s.renewAfter = s.life - min(s.life/5, 2*time.Minute)
	if result.RefreshToken != "" {
		s.refreshToken = result.RefreshToken
	}
}

// since is how long ago t was by the clock that went further: the monotonic one
// stands still while the machine sleeps, the other may be set back.
func since(t time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}
