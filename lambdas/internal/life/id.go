package life

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"time"
)

// requestIDLength is the length of a request id: 16 bytes in base32.
const requestIDLength = 26

var idEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewRequestID returns a random request id.
func NewRequestID() string { return encodeID(random16()) }

// KeyedRequestID returns the request id of a user's idempotency key. Users
// cannot reach each other's ids, whatever their keys.
func KeyedRequestID(userID, key string) string {
	sum := sha256.Sum256([]byte(userID + "\x00" + key))
	return encodeID([16]byte(sum[:16]))
}

// ValidRequestID reports whether s has the form of a request id: 26 characters
// of lower-case base32.
func ValidRequestID(s string) bool {
	return len(s) == requestIDLength && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// NewOwner returns the random nonce that names an attempt, or an admission.
func NewOwner() string { return encodeID(random16()) }

// BodyHash names the exact bytes of a body.
func BodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Timestamp formats t as the API shows it: RFC 3339, UTC, to the millisecond.
func Timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func random16() (b [16]byte) {
	rand.Read(b[:])
	return b
}

func encodeID(b [16]byte) string { return strings.ToLower(idEncoding.EncodeToString(b[:])) }
