package e2e_test

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// claimsOf reads the claims of a token without verifying it.
func claimsOf(t *testing.T, token string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
