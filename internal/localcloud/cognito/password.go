package cognito

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// iterations of PBKDF2: enough that a stored snapshot is no list of passwords,
// few enough that fifty users sign in at once.
const iterations = 50_000

const maxPasswordLength = 256

// password is what is kept of one: a PBKDF2 hash, and the verifier that the
// SRP flow needs.
type password struct {
	Salt        []byte `json:"salt,omitempty"`
	Hash        []byte `json:"hash,omitempty"`
	SRPSalt     []byte `json:"srpSalt,omitempty"`
	SRPVerifier []byte `json:"srpVerifier,omitempty"`
}

// newPassword hashes a password for the user whose internal name is given.
func newPassword(poolID, username, text string) (password, error) {
	p := password{Salt: randomBytes(16), SRPSalt: randomBytes(16)}
	p.SRPVerifier = verifier(poolID, username, text, new(big.Int).SetBytes(p.SRPSalt)).Bytes()
	var err error
	if p.Hash, err = pbkdf2.Key(sha256.New, text, p.Salt, iterations, sha256.Size); err != nil {
		return password{}, fmt.Errorf("hashing password: %w", err)
	}
	return p, nil
}

// matches takes as long for a user that does not exist.
func (p password) matches(text string) bool {
	hash, err := pbkdf2.Key(sha256.New, text, p.Salt, iterations, sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(hash, p.Hash) == 1
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// symbols are the characters that count as such (Cognito developer guide).
const symbols = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= "

// check tells whether a password follows the policy.
func (p PasswordPolicy) check(text string) *awsapi.Error {
	has := func(class func(rune) bool) bool { return strings.IndexFunc(text, class) >= 0 }
	var problem string
	switch {
	case len(text) > maxPasswordLength:
		return invalid("1 validation error detected: Value at 'password' failed to satisfy constraint: Member must have length less than or equal to 256")
	case text != strings.TrimSpace(text):
		return invalid("1 validation error detected: Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$")
	case len(text) < p.MinimumLength:
		problem = "Password not long enough"
	case p.RequireUppercase && !has(unicode.IsUpper):
		problem = "Password must have uppercase characters"
	case p.RequireLowercase && !has(unicode.IsLower):
		problem = "Password must have lowercase characters"
	case p.RequireNumbers && !has(unicode.IsDigit):
		problem = "Password must have numeric characters"
	case p.RequireSymbols && !strings.ContainsAny(text, symbols):
		problem = "Password must have symbol characters"
	default:
		return nil
	}
	return fail("InvalidPasswordException", "Password did not conform with policy: %s", problem)
}
