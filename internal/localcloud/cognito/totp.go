package cognito

import (
	"encoding/base32"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Parameters of Cognito's one-time codes: those of RFC 6238 that every
// authenticator app has as its defaults.
const (
	totpStep    = 30 * time.Second
	totpSkew    = 1 // steps before and after the current one whose codes pass
	secretBytes = 32
)

var (
	errWrongCode = fail("CodeMismatchException", "Invalid code received for user")
	errUsedCode  = fail("ExpiredCodeException", "Your software token has already been used once.")
)

// authenticator is an app that makes one-time codes for a user.
type authenticator struct {
	Secret string `json:"secret"` // base32
	Spent  int64  `json:"spent"`  // the newest step whose code was taken
}

func newAuthenticator() *authenticator {
	return &authenticator{Secret: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(randomBytes(secretBytes))}
}

// spend takes a code once. No code passes that is as old as one that did.
func (a *authenticator) spend(code string, now time.Time) *awsapi.Error {
	refusal := errWrongCode
	current := now.Unix() / int64(totpStep.Seconds())
	for step := current - totpSkew; step <= current+totpSkew; step++ {
		want, err := hotp.GenerateCodeCustom(a.Secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // a time after 1970
		switch {
		case err != nil:
			return internalError
		case !equal(want, code):
		case step <= a.Spent:
			refusal = errUsedCode
		default:
			a.Spent = step
			return nil
		}
	}
	return refusal
}
