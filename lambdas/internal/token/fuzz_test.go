package token_test

import (
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

// FuzzVerify looks for bytes that are taken for a token without the pool's
// signature.
func FuzzVerify(f *testing.F) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(keySet(map[string]*rsa.PublicKey{"id-key": &poolKey().PublicKey}))
	}))
	f.Cleanup(server.Close)
	tok := jwt.NewWithClaims(jwt.SigningMethodRS256, idClaims())
	tok.Header["kid"] = "id-key"
	good, err := tok.SignedString(otherKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("a.b.c")
	v := token.New(token.Config{Issuer: issuer, ClientID: clientID, KeysURL: server.URL, Now: at(start)})
	f.Fuzz(func(t *testing.T, raw string) {
		if id, err := v.Verify(t.Context(), raw); err == nil {
			t.Errorf("accepted %+v", id)
		}
	})
}

// FuzzKeySet looks for key sets that crash the verifier.
func FuzzKeySet(f *testing.F) {
	f.Add(keySet(nil))
	f.Add([]byte(`{"keys":[{"kid":"id-key","kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":null}`))
	tok := jwt.NewWithClaims(jwt.SigningMethodRS256, idClaims())
	tok.Header["kid"] = "id-key"
	raw, err := tok.SignedString(otherKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, set []byte) {
		client := &http.Client{Transport: answer(set)}
		v := token.New(token.Config{Issuer: issuer, ClientID: clientID, KeysURL: "http://pool.test/keys", HTTP: client, Now: at(start)})
		if id, err := v.Verify(t.Context(), raw); err == nil {
			t.Errorf("accepted %+v", id)
		}
	})
}

// answer is a transport that answers every request with its bytes.
type answer []byte

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	_, _ = recorder.Write(a)
	response := recorder.Result()
	response.Request = r
	return response, nil
}
