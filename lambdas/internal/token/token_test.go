package token_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

const (
	issuer   = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool"
	clientID = "client-1"
)

var (
	poolKey  = sync.OnceValue(newKey)
	otherKey = sync.OnceValue(newKey)
	start    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// pool is a user pool's key endpoint.
type pool struct {
	*httptest.Server
	fetches atomic.Int32
	mu      sync.Mutex
	status  int
	keys    map[string]*rsa.PublicKey
}

func newPool(t *testing.T) *pool {
	t.Helper()
	p := &pool{status: http.StatusOK, keys: map[string]*rsa.PublicKey{"id-key": &poolKey().PublicKey}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		p.mu.Lock()
		defer p.mu.Unlock()
		w.WriteHeader(p.status)
		_, _ = w.Write(keySet(p.keys))
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pool) answer(status int, keys map[string]*rsa.PublicKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.keys = status, keys
}

func keySet(keys map[string]*rsa.PublicKey) []byte {
	type jwk map[string]string
	set := map[string][]jwk{"keys": {{"kty": "EC", "kid": "curve", "crv": "P-256"}}}
	for id, k := range keys {
		set["keys"] = append(set["keys"], jwk{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
			"n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes()),
		})
	}
	body, _ := json.Marshal(set)
	return body
}

func verifier(p *pool, now func() time.Time) *token.Verifier {
	return token.New(token.Config{Issuer: issuer, ClientID: clientID, KeysURL: p.URL, Now: now})
}

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

func idClaims() jwt.MapClaims {
	return jwt.MapClaims{
		"sub": "user-1", "aud": clientID, "iss": issuer, "token_use": "id",
		"iat": start.Add(-time.Minute).Unix(), "exp": start.Add(time.Hour).Unix(),
		"cognito:groups": []string{"gold", "staff"},
	}
}

func with(change jwt.MapClaims) jwt.MapClaims {
	c := idClaims()
	for k, v := range change {
		if v == nil {
			delete(c, k)
			continue
		}
		c[k] = v
	}
	return c
}

func sign(t *testing.T, method jwt.SigningMethod, key any, header map[string]any, c jwt.MapClaims) string {
	t.Helper()
	tok := jwt.NewWithClaims(method, c)
	tok.Header["kid"] = "id-key"
	maps.Copy(tok.Header, header)
	raw, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func rs256(t *testing.T, c jwt.MapClaims) string {
	t.Helper()
	return sign(t, jwt.SigningMethodRS256, poolKey(), nil, c)
}

func TestVerifyReadsTheIdentityOfAnIDToken(t *testing.T) {
	t.Parallel()
	got, err := verifier(newPool(t), at(start)).Verify(t.Context(), rs256(t, idClaims()))
	if err != nil {
		t.Fatal(err)
	}
	if got.UserID != "user-1" || strings.Join(got.Groups, ",") != "gold,staff" || !got.Expires.Equal(start.Add(time.Hour)) {
		t.Errorf("got %+v", got)
	}
}

// A pool's trigger may have written the groups as a text.
func TestVerifyReadsGroupsAsTheGatewayDoes(t *testing.T) {
	t.Parallel()
	v := verifier(newPool(t), at(start))
	for _, groups := range []any{[]string{"gold", "staff"}, "gold,staff", "[gold staff]"} {
		got, err := v.Verify(t.Context(), rs256(t, with(jwt.MapClaims{"cognito:groups": groups})))
		if err != nil || strings.Join(got.Groups, ",") != "gold,staff" {
			t.Errorf("groups %v are %q, %v", groups, got.Groups, err)
		}
	}
}

func TestVerifyRefusesEveryForgery(t *testing.T) {
	t.Parallel()
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&poolKey().PublicKey))})
	good := rs256(t, idClaims())
	parts := strings.Split(good, ".")
	otherClaims := strings.Split(rs256(t, with(jwt.MapClaims{"sub": "victim"})), ".")[1]
	tests := []struct{ name, raw string }{
		{"empty", ""},
		{"garbage", "garbage"},
		{"three dots of nothing", ".."},
		{"too long", strings.Repeat("a", 20_000)},
		{"alg none", sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, idClaims())},
		{"HS256 keyed with the public key", sign(t, jwt.SigningMethodHS256, publicPEM, nil, idClaims())},
		{"HS256 keyed with the modulus", sign(t, jwt.SigningMethodHS256, poolKey().N.Bytes(), nil, idClaims())},
		{"RS512", sign(t, jwt.SigningMethodRS512, poolKey(), nil, idClaims())},
		{"PS256", sign(t, jwt.SigningMethodPS256, poolKey(), nil, idClaims())},
		{"signature of another token", parts[0] + "." + otherClaims + "." + parts[2]},
		{"no signature", parts[0] + "." + parts[1] + "."},
		{"key of another pool under our kid", sign(t, jwt.SigningMethodRS256, otherKey(), nil, idClaims())},
		{"unknown kid", sign(t, jwt.SigningMethodRS256, poolKey(), map[string]any{"kid": "nobody"}, idClaims())},
		{"kid is no string", sign(t, jwt.SigningMethodRS256, poolKey(), map[string]any{"kid": 7}, idClaims())},
		{"kid empty", sign(t, jwt.SigningMethodRS256, poolKey(), map[string]any{"kid": ""}, idClaims())},
		{"critical header", sign(t, jwt.SigningMethodRS256, poolKey(), map[string]any{"crit": []string{"exp"}}, idClaims())},
		{"issuer is another pool", rs256(t, with(jwt.MapClaims{"iss": issuer + "2"}))},
		{"issuer with a slash", rs256(t, with(jwt.MapClaims{"iss": issuer + "/"}))},
		{"no issuer", rs256(t, with(jwt.MapClaims{"iss": nil}))},
		{"audience is another client", rs256(t, with(jwt.MapClaims{"aud": "client-2"}))},
		{"no audience", rs256(t, with(jwt.MapClaims{"aud": nil, "client_id": clientID}))},
		{"access token", rs256(t, with(jwt.MapClaims{"token_use": "access"}))},
		{"no token_use", rs256(t, with(jwt.MapClaims{"token_use": nil}))},
		{"expired", rs256(t, with(jwt.MapClaims{"exp": start.Add(-token.Leeway - time.Second).Unix()}))},
		{"no expiry", rs256(t, with(jwt.MapClaims{"exp": nil}))},
		{"not yet valid", rs256(t, with(jwt.MapClaims{"nbf": start.Add(token.Leeway + time.Second).Unix()}))},
		{"no user", rs256(t, with(jwt.MapClaims{"sub": nil}))},
		{"groups are no list", rs256(t, with(jwt.MapClaims{"cognito:groups": 7}))},
	}
	v := verifier(newPool(t), at(start))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			id, err := v.Verify(t.Context(), tt.raw)
			if !errors.Is(err, token.ErrInvalid) {
				t.Fatalf("got %+v, %v, want ErrInvalid", id, err)
			}
			assertNoLeak(t, tt.raw, err)
		})
	}
}

func TestVerifyAllowsTheLeeway(t *testing.T) {
	t.Parallel()
	v := verifier(newPool(t), at(start))
	for _, c := range []jwt.MapClaims{
		{"exp": start.Add(-token.Leeway + time.Second).Unix()},
		{"nbf": start.Add(token.Leeway - time.Second).Unix()},
	} {
		if _, err := v.Verify(t.Context(), rs256(t, with(c))); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// Rival defect (h): keys fetched per message, issuer and token_use unchecked
// (the latter two are rows of TestVerifyRefusesEveryForgery).
func TestDefectHKeysAreFetchedOnce(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	v := verifier(p, at(start))
	raw := rs256(t, idClaims())
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := v.Verify(context.Background(), raw); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := p.fetches.Load(); got != 1 {
		t.Errorf("fetched the keys %d times, want 1", got)
	}
}

// A token that was verified is known again, but neither beyond its expiry nor for
// long after its key was taken out, and no other token with it.
func TestAVerifiedTokenIsRemembered(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	now := start
	v := verifier(p, func() time.Time { return now })
	short, long := rs256(t, idClaims()), rs256(t, with(jwt.MapClaims{"exp": start.Add(24 * time.Hour).Unix()}))
	expect := func(what, raw string, good bool) {
		t.Helper()
		identity, err := v.Verify(t.Context(), raw)
		if good && (err != nil || identity.UserID != "user-1" || !slices.Equal(identity.Groups, []string{"gold", "staff"})) {
			t.Errorf("%s: %+v, %v", what, identity, err)
		}
		if !good && (!errors.Is(err, token.ErrInvalid) || identity.UserID != "") {
			t.Errorf("%s: %+v, %v, want ErrInvalid", what, identity, err)
		}
	}
	expect("at first", short, true)
	expect("again", short, true)
	expect("with another signature", short[:len(short)-6]+"AAAAAA", false)
	now = start.Add(time.Hour + token.Leeway - 2*time.Minute)
	expect("soon to expire", short, true)
	now = now.Add(2 * time.Minute)
	expect("expired", short, false)

	expect("a long one", long, true)
	p.answer(http.StatusOK, map[string]*rsa.PublicKey{"rotated": &otherKey().PublicKey})
	rotated := sign(t, jwt.SigningMethodRS256, otherKey(), map[string]any{"kid": "rotated"}, with(jwt.MapClaims{"exp": start.Add(24 * time.Hour).Unix()}))
	expect("of the new key", rotated, true)
	now = now.Add(5 * time.Minute)
	expect("of the old key, soon after", long, true)
	now = now.Add(time.Second)
	expect("of the old key, later", long, false)
}

func TestUnknownKeyRefreshesAtALimitedRate(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	now := start
	v := verifier(p, func() time.Time { return now })
	rotated := sign(t, jwt.SigningMethodRS256, otherKey(), map[string]any{"kid": "rotated"}, idClaims())
	for range 20 {
		if _, err := v.Verify(t.Context(), rotated); !errors.Is(err, token.ErrInvalid) {
			t.Fatalf("got %v, want ErrInvalid", err)
		}
	}
	if got := p.fetches.Load(); got != 1 {
		t.Errorf("fetched %d times for unknown keys, want 1", got)
	}
	p.answer(http.StatusOK, map[string]*rsa.PublicKey{"rotated": &otherKey().PublicKey})
	now = now.Add(time.Minute)
	if _, err := v.Verify(t.Context(), rotated); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
	if _, err := v.Verify(t.Context(), rs256(t, idClaims())); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("a key that was taken out: got %v, want ErrInvalid", err)
	}
}

func TestUnreachableKeysAreNotTheTokensFault(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	p.answer(http.StatusInternalServerError, nil)
	now := start
	v := verifier(p, func() time.Time { return now })
	raw := rs256(t, idClaims())
	for range 3 {
		_, err := v.Verify(t.Context(), raw)
		if err == nil || errors.Is(err, token.ErrInvalid) {
			t.Fatalf("got %v, want a failure that does not blame the token", err)
		}
		assertNoLeak(t, raw, err)
	}
	if got := p.fetches.Load(); got != 1 {
		t.Errorf("fetched %d times within the pause, want 1", got)
	}
	p.answer(http.StatusOK, map[string]*rsa.PublicKey{"id-key": &poolKey().PublicKey})
	now = now.Add(2 * time.Second)
	if _, err := v.Verify(t.Context(), raw); err != nil {
		t.Errorf("once reachable: %v", err)
	}
	p.answer(http.StatusInternalServerError, nil)
	now = now.Add(7 * time.Hour)
	late := rs256(t, with(jwt.MapClaims{"exp": now.Add(time.Hour).Unix()}))
	if _, err := v.Verify(t.Context(), late); err != nil {
		t.Errorf("old keys while the endpoint fails: %v", err)
	}
}

// assertNoLeak checks rival defect (g) for errors: none quotes the token.
func assertNoLeak(t *testing.T, raw string, err error) {
	t.Helper()
	for part := range strings.SplitSeq(raw, ".") {
		if len(part) > 8 && strings.Contains(err.Error(), part[:8]) {
			t.Errorf("the error quotes the token: %v", err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
