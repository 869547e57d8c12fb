package life

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// MaxPersonalKeys bounds the keys of a user that have not expired.
const MaxPersonalKeys = protocol.MaxKeys

// ErrTooManyKeys says that the user has as many keys as there may be.
var ErrTooManyKeys = errors.New("too many personal keys")

// PersonalKey is a credential of a user that lasts, for clients that cannot
// sign in. Its secret is known to its owner alone.
type PersonalKey struct {
	KeyID    string
	UserID   string
	Username string // in the user pool
	Name     string // the owner's own
	Hash     string // of the secret

	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Expired reports whether the key is void at now.
func (k PersonalKey) Expired(now time.Time) bool {
	return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)
}

// A secret is its prefix, by which scanners find lost ones, and 32 random
// bytes.
const (
	secretPrefix = "ssk_"
	secretBytes  = 32
)

// NewKeyID returns a random id of a key.
func NewKeyID() string { return encodeID(random16()) }

// NewSecret returns the secret of a new key.
func NewSecret() string {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // never fails
	return secretPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// IsSecret reports whether s has the form of a key's secret.
func IsSecret(s string) bool {
	encoded, ok := strings.CutPrefix(s, secretPrefix)
	if !ok {
		return false
	}
	random, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	return err == nil && len(random) == secretBytes && len(encoded) == base64.RawURLEncoding.EncodedLen(secretBytes)
}

// HashSecret is what is stored of a secret. A secret has more entropy than a
// hash could lose, so neither salt nor stretching would add anything.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
