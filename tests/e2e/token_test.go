package e2e_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
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

// poolKey is a key of a user pool, which no attacker has.
type poolKey struct {
	id  string
	key *rsa.PrivateKey
}

// readPoolKeys reads what a cloud keeps of its only user pool: the keys that
// sign ID and access tokens.
func readPoolKeys(t *testing.T, dataDir string) (id, access poolKey) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dataDir, "dev", "users.json"))
	if err != nil {
		t.Fatal(err)
	}
	var users struct {
		Pools map[string]struct {
			Keys []struct {
				Kid   string
				PKCS8 []byte
			}
		}
	}
	if err := json.Unmarshal(content, &users); err != nil {
		t.Fatal(err)
	}
	var keys []poolKey
	for _, pool := range users.Pools {
		for _, saved := range pool.Keys {
			parsed, err := x509.ParsePKCS8PrivateKey(saved.PKCS8)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, poolKey{saved.Kid, parsed.(*rsa.PrivateKey)})
		}
	}
	if len(keys) != 2 {
		t.Fatalf("%d keys of pools, want 2", len(keys))
	}
	return keys[0], keys[1]
}

// forger signs what Cognito would not.
type forger struct {
	t      *testing.T
	claims jwt.MapClaims // of a good ID token
}

// with are the good claims with some of them changed; nil leaves one out.
func (f forger) with(changed jwt.MapClaims) jwt.MapClaims {
	claims := maps.Clone(f.claims)
	for name, value := range changed {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

func (f forger) sign(method jwt.SigningMethod, kid string, key any, claims jwt.MapClaims) string {
	f.t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		f.t.Fatal(err)
	}
	return signed
}

// Tokens that look right but are not open neither API, not even those that the
// pool's own key signed.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	o := options()
	o.DataDir = t.TempDir()
	h := localcloudtest.Start(t, o)
	p := newPerson(t, h)
	id, access := readPoolKeys(t, o.DataDir)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&id.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})

	f := forger{t, claimsOf(t, p.token())}
	good := f.with(nil)
	own := func(changed jwt.MapClaims) string {
		return f.sign(jwt.SigningMethodRS256, id.id, id.key, f.with(changed))
	}
	now := time.Now()
	parts := strings.Split(p.token(), ".")
	issuer, _ := good["iss"].(string)
	if answer := p.Rest(t, own(nil), "GET", "/usage", nil); answer.Status != http.StatusOK {
		t.Fatalf("a token of the pool's key: %d %s: the forgeries below would show nothing", answer.Status, answer.Body)
	}
	for name, token := range map[string]string{
		"garbage":                           "garbage",
		"two parts":                         parts[0] + "." + parts[1],
		"alg none":                          f.sign(jwt.SigningMethodNone, id.id, jwt.UnsafeAllowNoneSignatureType, good),
		"HS256 with the public key":         f.sign(jwt.SigningMethodHS256, id.id, publicPEM, good),
		"HS256 with the modulus":            f.sign(jwt.SigningMethodHS256, id.id, id.key.N.Bytes(), good),
		"RS512 of the pool's key":           f.sign(jwt.SigningMethodRS512, id.id, id.key, good),
		"another key under the pool's kid":  f.sign(jwt.SigningMethodRS256, id.id, stranger, good),
		"another key under its own kid":     f.sign(jwt.SigningMethodRS256, "stranger", stranger, good),
		"the pool's key under another kid":  f.sign(jwt.SigningMethodRS256, "stranger", id.key, good),
		"signature of another token":        parts[0] + "." + strings.Split(own(jwt.MapClaims{"sub": "victim"}), ".")[1] + "." + parts[2],
		"no signature":                      parts[0] + "." + parts[1] + ".",
		"expired":                           own(jwt.MapClaims{"exp": now.Add(-time.Minute).Unix()}),
		"without an expiry":                 own(jwt.MapClaims{"exp": nil}),
		"not yet valid":                     own(jwt.MapClaims{"nbf": now.Add(time.Hour).Unix()}),
		"another pool's issuer":             own(jwt.MapClaims{"iss": issuer + "x"}),
		"without an issuer":                 own(jwt.MapClaims{"iss": nil}),
		"another client's audience":         own(jwt.MapClaims{"aud": "anotherclient0123456789"}),
		"without an audience":               own(jwt.MapClaims{"aud": nil}),
		"token_use of an access token":      own(jwt.MapClaims{"token_use": "access"}),
		"without token_use":                 own(jwt.MapClaims{"token_use": nil}),
		"an access token":                   p.tokens.AccessToken,
		"an access token with the audience": f.sign(jwt.SigningMethodRS256, access.id, access.key, f.with(jwt.MapClaims{"token_use": "access"})),
		"a refresh token":                   p.tokens.RefreshToken,
		"without a user":                    own(jwt.MapClaims{"sub": nil}),
	} {
		p.wantUnauthenticated(name, token)
	}
	for name, token := range map[string]string{"nothing": "", "another cloud's pool": newPerson(t, cloud(t)).token()} {
		p.wantUnauthenticated(name, token)
	}
	p.wantSettled(0, 0)
}

// wantUnauthenticated expects a token to open nothing.
func (p *person) wantUnauthenticated(name, token string) {
	p.t.Helper()
	for _, call := range [][2]string{{"GET", "/usage"}, {"POST", "/requests"}, {"GET", "/requests/" + strings.Repeat("a", 26)}, {"DELETE", "/requests/x"}, {"GET", "/nothing"}} {
		answer := p.Rest(p.t, token, call[0], call[1], map[string]string{"prompt": "Hi"})
		wantProblem(p.t, answer, http.StatusUnauthorized, "unauthenticated")
		if answer.Status != http.StatusUnauthorized {
			p.t.Errorf("%s: %s %s is allowed", name, call[0], call[1])
		}
	}
	if got := handshake(p.t, p.Harness, "streaming.v1, "+token); got != http.StatusUnauthorized {
		p.t.Errorf("%s: handshake %d, want 401", name, got)
	}
	if got := handshake(p.t, p.Harness, "streaming.v1", "Authorization", token); token != "" && got != http.StatusUnauthorized {
		p.t.Errorf("%s in Authorization: handshake %d, want 401", name, got)
	}
}

// A global sign-out ends the refresh token at once; an ID token lives on until
// it expires, since neither gateway asks Cognito about it.
func TestSignOut(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	out := p.Cognito(t, "GlobalSignOut", map[string]any{"AccessToken": p.tokens.AccessToken})
	if out.Status != http.StatusOK {
		t.Fatalf("signing out: %d %s", out.Status, out.Body)
	}
	refresh := p.Cognito(t, "InitiateAuth", map[string]any{
		"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": map[string]string{"REFRESH_TOKEN": p.tokens.RefreshToken},
	})
	if refresh.Status == http.StatusOK || !strings.Contains(string(refresh.Body), "NotAuthorizedException") {
		t.Errorf("refreshing after the sign-out: %d %s", refresh.Status, refresh.Body)
	}
	expires, err := claimsOf(t, p.token()).GetExpirationTime()
	if err != nil || time.Until(expires.Time) > time.Hour+time.Minute {
		t.Errorf("the ID token lives until %v, %v; want at most an hour", expires, err)
	}
	if answer := p.call("GET", "/usage", nil); answer.Status != http.StatusOK {
		t.Errorf("the ID token within its hour: %d", answer.Status)
	}
}
