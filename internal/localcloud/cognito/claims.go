package cognito

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// unverifiedIssuer reads the issuer of a token, to learn which pool can verify
// it.
func unverifiedIssuer(token string) string {
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		return ""
	}
	issuer, err := claims.GetIssuer()
	if err != nil {
		return ""
	}
	return issuer
}

func isExpired(err error) bool { return errors.Is(err, jwt.ErrTokenExpired) }
