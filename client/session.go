package client

import (
	"context"
	"errors"
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
	renewAt      time.Time
	expiresAt    time.Time
}

var (
	_ TokenSource = (*Session)(nil)
	_ Renewer     = (*Session)(nil)
)

// IDToken returns the session's ID token, renewed if less than a fifth of its
// life, and at most two minutes, are left. If renewing fails, a token that is
// still valid is returned all the same.
func (s *Session) IDToken(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.renewAt) {
		return s.idToken, nil
	}
	if err := s.renew(ctx); err != nil {
		if now.Before(s.expiresAt) {
			return s.idToken, nil
		}
		return "", err
	}
	return s.idToken, nil
}

// Renew replaces the ID token if it is still stale, the one that was refused.
func (s *Session) Renew(ctx context.Context, stale string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idToken != stale {
		return nil
	}
	return s.renew(ctx)
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
	s.idToken, s.refreshToken, s.renewAt, s.expiresAt = "", "", time.Time{}, time.Time{}
	s.mu.Unlock()
	if token == "" {
		return nil
	}
	return s.auth.call(ctx, "RevokeToken", map[string]any{"ClientId": s.auth.clientID, "Token": token}, nil)
}

// renew must be called with the lock held, so that callers share one renewal.
func (s *Session) renew(ctx context.Context) error {
	if s.refreshToken == "" {
		return errors.New("renewing token: the session has ended, sign in again")
	}
	result, err := s.auth.refresh(ctx, s.refreshToken)
	if err != nil {
		return err
	}
	s.take(result, time.Now())
	return nil
}

// take keeps new tokens. Their life is counted from now by this machine's
// clock, so that a wrong clock does no harm.
func (s *Session) take(result authResult, now time.Time) {
	life := time.Duration(result.ExpiresIn) * time.Second
	s.idToken = result.IDToken
	s.expiresAt = now.Add(life)
	s.renewAt = s.expiresAt.Add(-min(life/5, 2*time.Minute))
	if result.RefreshToken != "" {
		s.refreshToken = result.RefreshToken
	}
}
