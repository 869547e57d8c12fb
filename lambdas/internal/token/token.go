// Package token verifies the ID tokens of one Cognito user pool for one of its
// clients. Its errors say why a token was refused and never contain any of it.
package token

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/lambdas/internal/groups"
	"github.com/streaming-service/streaming-service/lambdas/internal/recent"
)

// Leeway is how far the clocks of the pool and of this machine may differ.
const Leeway = 5 * time.Second

// verifiedFor is how long a token that was verified need not be again: a client
// sends the same one for an hour, and the RSA signature is most of the work. So
// long a key is good beyond its removal from the pool's set.
const verifiedFor = 5 * time.Minute

// maxLength is the longest token that is looked at, in bytes. API Gateway
// takes 10,240 bytes of headers in all.
const maxLength = 10_240

// ErrInvalid is wrapped by every error that blames the token. Any other error
// of Verify is a failure of this side.
var ErrInvalid = errors.New("invalid token")

// Identity is what a valid token says about its bearer.
type Identity struct {
	UserID  string // the pool's sub
	Groups  []string
	Expires time.Time
}

// Config says whose tokens are valid.
type Config struct {
	// Issuer is the iss of the pool, without a trailing slash.
	Issuer string
	// ClientID is the aud of the pool's client.
	ClientID string
	// KeysURL is where the pool publishes its JSON Web Key Set.
	KeysURL string
	// HTTP fetches the keys. Default: a client that gives up after 3 s.
	HTTP *http.Client
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Verifier verifies tokens and keeps the pool's keys between calls.
type Verifier struct {
	keys     *keySet
	parser   *jwt.Parser
	now      func() time.Time
	verified recent.Map[[sha256.Size]byte, Identity] // by the hash of the token
}

// New returns a Verifier. It fetches nothing until the first token arrives.
func New(c Config) *Verifier {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 3 * time.Second}
	}
	return &Verifier{
		now:  c.Now,
		keys: &keySet{url: c.KeysURL, http: c.HTTP, now: c.Now},
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
			jwt.WithIssuer(c.Issuer),
			jwt.WithAudience(c.ClientID),
			jwt.WithExpirationRequired(),
			jwt.WithLeeway(Leeway),
			jwt.WithTimeFunc(c.Now),
		),
	}
}

// claims are the parts of a Cognito ID token that the service reads.
type claims struct {
	jwt.RegisteredClaims
	TokenUse string       `json:"token_use"`
	Groups   groups.Claim `json:"cognito:groups"`
}

// Verify returns the identity in raw, which must be an unexpired ID token of
// the pool, signed with RS256 by one of its keys, for the configured client.
func (v *Verifier) Verify(ctx context.Context, raw string) (Identity, error) {
	if len(raw) > maxLength {
		return Identity{}, refuse("it is too long")
	}
	hash, now := sha256.Sum256([]byte(raw)), v.now()
	if identity, ok := v.verified.Recall(hash, now.Add(-verifiedFor)); ok && now.Before(identity.Expires.Add(Leeway)) {
		return identity, nil
	}
	identity, err := v.verify(ctx, raw)
	if err == nil {
		v.verified.Remember(hash, identity, now)
	}
	return identity, err
}

func (v *Verifier) verify(ctx context.Context, raw string) (Identity, error) {
	var (
		c        claims
		internal error
	)
	_, err := v.parser.ParseWithClaims(raw, &c, func(t *jwt.Token) (any, error) {
		key, err := v.key(ctx, t)
		if err != nil && !errors.Is(err, ErrInvalid) {
			internal = err
		}
		return key, err
	})
	switch {
	case internal != nil:
		return Identity{}, internal
	case err != nil:
		return Identity{}, refuse(reason(err))
	case c.TokenUse != "id":
		return Identity{}, refuse("it is not an ID token")
	case c.Subject == "":
		return Identity{}, refuse("it names no user")
	}
	return Identity{UserID: c.Subject, Groups: c.Groups, Expires: c.ExpiresAt.Time}, nil
}

// key finds the key that must have signed t.
func (v *Verifier) key(ctx context.Context, t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, refuse("it has a critical header")
	}
	id, ok := t.Header["kid"].(string)
	if !ok || id == "" {
		return nil, refuse("it names no key")
	}
	key, err := v.keys.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return key, nil
}

func refuse(why string) error { return fmt.Errorf("%w: %s", ErrInvalid, why) }

// reasons turn the parser's errors, which may quote the token, into fixed
// words.
var reasons = []struct {
	err  error
	text string
}{
	{jwt.ErrTokenMalformed, "it is malformed"},
	{jwt.ErrTokenSignatureInvalid, "its signature or algorithm is wrong"},
	{jwt.ErrTokenUnverifiable, "no key of the pool signed it"},
	{jwt.ErrTokenRequiredClaimMissing, "a required claim is missing"},
	{jwt.ErrTokenExpired, "it has expired"},
	{jwt.ErrTokenNotValidYet, "it is not valid yet"},
	{jwt.ErrTokenInvalidIssuer, "its issuer is another"},
	{jwt.ErrTokenInvalidAudience, "its audience is another"},
}

func reason(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.text
		}
	}
	return "its claims are wrong"
}
