package cognito_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

func secretHash(c cognito.Client, username string) string {
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte(username + c.ID))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// claims decodes a token without verifying it.
func claims(t *testing.T, token string) (header, body object) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts instead of a JWT", len(parts))
	}
	for i, out := range []*object{&header, &body} {
		decoded, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(decoded, out); err != nil {
			t.Fatal(err)
		}
	}
	return header, body
}

func TestTokens(t *testing.T) {
	t.Parallel()
	c := newCloud(t, func(_ *cognito.UserPool, client *cognito.Client) {
		client.IDTokenValidity, client.AccessTokenValidity = 2*time.Hour, 5*time.Minute
	})
	c.signUp()
	weak, strong := 9, 1
	for _, g := range []cognito.Group{{UserPoolID: c.pool.ID, Name: "beta", Precedence: &weak}, {UserPoolID: c.pool.ID, Name: "pro", Precedence: &strong, RoleARN: "arn:aws:iam::0:role/pro"}, {UserPoolID: c.pool.ID, Name: "a"}} {
		c.must(c.service.PutGroup(g))
		c.ok("AdminAddUserToGroup", object{"Username": email, "GroupName": g.Name})
	}
	result := c.signIn()
	if result["TokenType"] != "Bearer" || result["ExpiresIn"] != 300.0 || text(result, "RefreshToken") == "" {
		t.Errorf("result %v", slices.Sorted(keysOf(result)))
	}
	idHeader, id := claims(t, text(result, "IdToken"))
	accessHeader, access := claims(t, text(result, "AccessToken"))
	now := float64(c.clock.Now().Unix())
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"id alg", idHeader["alg"], "RS256"}, {"typ", idHeader["typ"], nil}, {"different keys", idHeader["kid"] != accessHeader["kid"], true},
		{"id token_use", id["token_use"], "id"}, {"access token_use", access["token_use"], "access"},
		{"aud", id["aud"], c.client.ID}, {"access aud", access["aud"], nil}, {"client_id", access["client_id"], c.client.ID}, {"id client_id", id["client_id"], nil},
		{"iss", id["iss"], "https://cognito-idp.us-east-1.amazonaws.com/" + c.pool.ID}, {"access iss", access["iss"], id["iss"]},
		{"sub", id["sub"], access["sub"]}, {"cognito:username", id["cognito:username"], id["sub"]}, {"username", access["username"], id["sub"]},
		{"email", id["email"], email}, {"email_verified", id["email_verified"], true}, {"access email", access["email"], nil},
		{"scope", access["scope"], "aws.cognito.signin.user.admin"}, {"groups", fmt.Sprint(id["cognito:groups"]), "[pro beta a]"},
		{"access groups", fmt.Sprint(access["cognito:groups"]), "[pro beta a]"}, {"preferred role", id["cognito:preferred_role"], "arn:aws:iam::0:role/pro"},
		{"iat", id["iat"], now}, {"auth_time", id["auth_time"], now}, {"id exp", id["exp"], now + 7200}, {"access exp", access["exp"], now + 300},
		{"origin_jti", id["origin_jti"], access["origin_jti"]}, {"jti", id["jti"] != access["jti"], true},
	} {
		if check.got != check.want {
			t.Errorf("%s = %v, want %v", check.what, check.got, check.want)
		}
	}
}

func keysOf(o object) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range o {
			if !yield(name) {
				return
			}
		}
	}
}

func TestKeySetVerifiesTokens(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	status, body := c.get("/" + c.pool.ID + "/.well-known/jwks.json")
	var set struct {
		Keys []struct{ Kid, Kty, Alg, Use, N, E string }
	}
	if err := json.Unmarshal(body, &set); err != nil || status != 200 || len(set.Keys) != 2 {
		t.Fatalf("key set: %d %s", status, body)
	}
	result := c.signIn()
	for _, name := range []string{"IdToken", "AccessToken"} {
		header, _ := claims(t, text(result, name))
		for _, key := range set.Keys {
			if key.Kid == header["kid"] && (key.Kty != "RSA" || key.Alg != "RS256" || key.Use != "sig" || len(key.N) != 342 || key.E != "AQAB") {
				t.Errorf("key %+v", key)
			}
		}
		if !slices.ContainsFunc(set.Keys, func(k struct{ Kid, Kty, Alg, Use, N, E string }) bool { return k.Kid == header["kid"] }) {
			t.Errorf("key %v of %s is not in the key set", header["kid"], name)
		}
	}
	if status, _ := c.get("/us-east-1_nope/.well-known/jwks.json"); status != 404 {
		t.Errorf("key set of an unknown pool: %d", status)
	}
	_, body = c.get("/" + c.pool.ID + "/.well-known/openid-configuration")
	var discovery object
	if err := json.Unmarshal(body, &discovery); err != nil || discovery["issuer"] != cognito.Issuer(c.pool.ID) || discovery["jwks_uri"] != cognito.Issuer(c.pool.ID)+"/.well-known/jwks.json" {
		t.Errorf("discovery %s", body)
	}
}

func TestVerifyToken(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	other := newCloud(t, func(p *cognito.UserPool, _ *cognito.Client) { p.ID = "us-east-1_foreign" })
	for _, x := range []*cloud{c, other} {
		x.signUp()
	}
	arn := cognito.UserPoolARN(c.pool.ID)
	result := c.signIn()
	id, access, foreign := text(result, "IdToken"), text(result, "AccessToken"), text(other.signIn(), "IdToken")
	parts := strings.Split(id, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	confused, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": cognito.Issuer(c.pool.ID), "token_use": "id", "exp": c.clock.Now().Add(time.Hour).Unix()}).SignedString([]byte("key"))
	c.must(err)
	for name, token := range map[string]string{
		"garbage": "x", "empty": "", "foreign": foreign, "none": none, "HS256": confused, "cut": id[:len(id)-8],
		"other payload": parts[0] + "." + strings.Split(access, ".")[1] + "." + parts[2],
	} {
		if _, err := c.service.VerifyToken(arn, token); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	body := jwt.MapClaims{"iss": cognito.Issuer(c.pool.ID), "token_use": "id", "exp": c.clock.Now().Add(time.Hour).Unix()}
	for kid, accepted := range map[string]bool{ownKey(t).ID: true, "other": false} {
		if _, err := c.service.VerifyToken(arn, ownKey(t).sign(t, kid, body)); (err == nil) != accepted {
			t.Errorf("a token of the pool's key under kid %q: %v", kid, err)
		}
	}
	if got, err := c.service.VerifyIDToken(arn, id); err != nil || got["email"] != email {
		t.Errorf("ID token: %v %v", got, err)
	}
	if _, err := c.service.VerifyIDToken(arn, access); err == nil {
		t.Error("an access token passes as ID token")
	}
	if _, err := c.service.VerifyToken(arn, access); err != nil {
		t.Errorf("access token: %v", err)
	}
	if _, err := c.service.VerifyToken(cognito.UserPoolARN("us-east-1_nope"), id); err == nil {
		t.Error("an unknown pool verifies")
	}
	c.clock.advance(time.Hour + time.Second)
	if _, err := c.service.VerifyIDToken(arn, id); !errors.Is(err, jwt.ErrTokenExpired) {
		t.Errorf("expired token: %v", err)
	}
}

// savedKey is a key as a snapshot has it.
type savedKey struct {
	ID    string `json:"kid"`
	PKCS8 []byte
}

// ownKey returns the key that signs the ID tokens of the tests' pools.
func ownKey(t *testing.T) savedKey {
	t.Helper()
	var state struct{ Keys []savedKey }
	if err := json.Unmarshal([]byte(keys()), &state); err != nil || len(state.Keys) != 2 {
		t.Fatalf("%d keys: %v", len(state.Keys), err)
	}
	return state.Keys[0]
}

func (k savedKey) sign(t *testing.T, kid string, body jwt.MapClaims) string {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(k.PKCS8)
	if err != nil {
		t.Fatal(err)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, body)
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestFlowsMustBeEnabled(t *testing.T) {
	t.Parallel()
	c := newCloud(t, func(_ *cognito.UserPool, client *cognito.Client) { client.ExplicitAuthFlows = nil })
	c.signUp()
	c.fails("InitiateAuth", passwordAuth(email, password), "InvalidParameterException")
	c.fails("InitiateAuth", object{"AuthFlow": "CUSTOM_AUTH", "AuthParameters": object{"USERNAME": email}}, "InvalidParameterException")
	if srp(c, email, password)["AuthenticationResult"] == nil {
		t.Error("SRP is on by default and fails")
	}
	refreshOff := newCloud(t, func(_ *cognito.UserPool, client *cognito.Client) {
		client.ExplicitAuthFlows = []string{"ALLOW_USER_PASSWORD_AUTH"}
	})
	refreshOff.signUp()
	token := text(refreshOff.signIn(), "RefreshToken")
	refreshOff.fails("InitiateAuth", refreshAuth(token), "InvalidParameterException")
	refreshOff.fails("InitiateAuth", object{"AuthFlow": "USER_SRP_AUTH", "AuthParameters": object{"USERNAME": email, "SRP_A": "02"}}, "InvalidParameterException")
}

func refreshAuth(token string) object {
	return object{"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": object{"REFRESH_TOKEN": token}}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	first := c.signIn()
	c.clock.advance(10 * time.Minute)
	c.must(c.service.PutGroup(cognito.Group{UserPoolID: c.pool.ID, Name: "pro"}))
	c.ok("AdminAddUserToGroup", object{"Username": email, "GroupName": "pro"})
	refreshed, _ := c.ok("InitiateAuth", refreshAuth(text(first, "RefreshToken")))["AuthenticationResult"].(object)
	_, before := claims(t, text(first, "IdToken"))
	_, after := claims(t, text(refreshed, "IdToken"))
	if _, rotated := refreshed["RefreshToken"]; rotated {
		t.Error("a refresh returns a refresh token without rotation")
	}
	if after["auth_time"] != before["auth_time"] || after["origin_jti"] != before["origin_jti"] || after["iat"] == before["iat"] {
		t.Errorf("claims before %v, after %v", before, after)
	}
	if fmt.Sprint(after["cognito:groups"]) != "[pro]" || before["cognito:groups"] != nil {
		t.Errorf("groups before %v, after %v", before["cognito:groups"], after["cognito:groups"])
	}
	c.fails("InitiateAuth", refreshAuth("garbage"), "NotAuthorizedException")
	c.fails("InitiateAuth", refreshAuth(""), "NotAuthorizedException")
	second, err := c.service.PutClient(cognito.Client{UserPoolID: c.pool.ID, ExplicitAuthFlows: c.client.ExplicitAuthFlows})
	c.must(err)
	stolen := refreshAuth(text(first, "RefreshToken"))
	stolen["ClientId"] = second.ID
	c.fails("InitiateAuth", stolen, "NotAuthorizedException")
	c.clock.advance(30 * 24 * time.Hour)
	c.fails("InitiateAuth", refreshAuth(text(first, "RefreshToken")), "NotAuthorizedException")
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	one, two := c.signIn(), c.signIn()
	c.ok("RevokeToken", object{"Token": one["RefreshToken"]})
	c.fails("InitiateAuth", refreshAuth(text(one, "RefreshToken")), "NotAuthorizedException")
	c.fails("GetUser", object{"AccessToken": one["AccessToken"]}, "NotAuthorizedException")
	c.ok("GetUser", object{"AccessToken": two["AccessToken"]})
	c.ok("RevokeToken", object{"Token": "unknown"})
	c.fails("RevokeToken", object{"Token": two["AccessToken"]}, "UnsupportedTokenTypeException")
	c.ok("GlobalSignOut", object{"AccessToken": two["AccessToken"]})
	c.fails("GetUser", object{"AccessToken": two["AccessToken"]}, "NotAuthorizedException")
	c.fails("InitiateAuth", refreshAuth(text(two, "RefreshToken")), "NotAuthorizedException")
	if _, err := c.service.VerifyIDToken(cognito.UserPoolARN(c.pool.ID), text(two, "IdToken")); err != nil {
		t.Errorf("revocation shows in a signature check: %v", err)
	}
	c.ok("GetUser", object{"AccessToken": c.signIn()["AccessToken"]})
}

func TestAccount(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	result := c.signIn()
	access := text(result, "AccessToken")
	if got := c.ok("GetUser", object{"AccessToken": access}); text(got, "Username") == "" || len(got["UserAttributes"].([]any)) != 3 {
		t.Errorf("GetUser answered %v", got)
	}
	c.fails("GetUser", object{"AccessToken": result["IdToken"]}, "NotAuthorizedException")
	c.fails("GetUser", object{"AccessToken": "x.y.z"}, "NotAuthorizedException")
	change := func(from, to string) object {
		return object{"AccessToken": access, "PreviousPassword": from, "ProposedPassword": to}
	}
	c.fails("ChangePassword", change("wrong", "Other-horse-9"), "NotAuthorizedException")
	c.fails("ChangePassword", change(password, "short"), "InvalidPasswordException")
	c.ok("ChangePassword", change(password, "Other-horse-9"))
	c.ok("InitiateAuth", passwordAuth(email, "Other-horse-9"))
	c.ok("DeleteUser", object{"AccessToken": access})
	c.fails("GetUser", object{"AccessToken": access}, "UserNotFoundException")
	c.fails("InitiateAuth", refreshAuth(text(result, "RefreshToken")), "NotAuthorizedException")
	c.fails("InitiateAuth", passwordAuth(email, "Other-horse-9"), "NotAuthorizedException")
	c.signUp() // the address is free again
	c.clock.advance(2 * time.Hour)
	old := c.signIn()
	c.clock.advance(2 * time.Hour)
	if out := c.fails("GetUser", object{"AccessToken": old["AccessToken"]}, "NotAuthorizedException"); out["message"] != "Access Token has expired" {
		t.Errorf("expired access token: %v", out["message"])
	}
}

// srp signs in with a client of its own, written after the published protocol
// of the user pools' SDKs: hexadecimal text throughout.
func srp(c *cloud, username, secret string) object {
	c.t.Helper()
	prime, _ := new(big.Int).SetString(srpPrime, 16)
	generator, private := big.NewInt(2), big.NewInt(1)
	private.Lsh(private, 300).Add(private, big.NewInt(12345))
	public := new(big.Int).Exp(generator, private, prime)
	asked := c.ok("InitiateAuth", object{"AuthFlow": "USER_SRP_AUTH", "AuthParameters": object{"USERNAME": username, "SRP_A": public.Text(16)}})
	parameters, _ := asked["ChallengeParameters"].(object)
	server, _ := new(big.Int).SetString(text(parameters, "SRP_B"), 16)
	salt, _ := new(big.Int).SetString(text(parameters, "SALT"), 16)
	_, pool, _ := strings.Cut(c.pool.ID, "_")
	user := text(parameters, "USER_ID_FOR_SRP")

	u := hashHex(padHex(public) + padHex(server))
	identity := sha256.Sum256([]byte(pool + user + ":" + secret))
	x := hashHex(padHex(salt) + hex.EncodeToString(identity[:]))
	k := hashHex(padHex(prime) + padHex(generator))
	base := new(big.Int).Sub(server, new(big.Int).Mul(k, new(big.Int).Exp(generator, x, prime)))
	shared := new(big.Int).Exp(base.Mod(base, prime), new(big.Int).Add(private, new(big.Int).Mul(u, x)), prime)
	key := mac(mac(unhex(padHex(u)), unhex(padHex(shared))), append([]byte("Caldera Derived Key"), 1))[:16]

	timestamp := c.clock.Now().UTC().Format("Mon Jan 2 15:04:05 UTC 2006")
	block, err := base64.StdEncoding.DecodeString(text(parameters, "SECRET_BLOCK"))
	c.must(err)
	signature := mac(key, slices.Concat([]byte(pool), []byte(user), block, []byte(timestamp)))
	out, code := c.call("RespondToAuthChallenge", object{"ChallengeName": asked["ChallengeName"], "ChallengeResponses": object{
		"USERNAME": user, "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"], "TIMESTAMP": timestamp,
		"PASSWORD_CLAIM_SIGNATURE": base64.StdEncoding.EncodeToString(signature),
	}})
	out["code"] = code
	return out
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

func unhex(text string) []byte {
	b, _ := hex.DecodeString(text)
	return b
}

func hashHex(text string) *big.Int {
	hash := sha256.Sum256(unhex(text))
	return new(big.Int).SetBytes(hash[:])
}

func padHex(n *big.Int) string {
	text := n.Text(16)
	switch {
	case len(text)%2 == 1:
		return "0" + text
	case strings.Contains("89abcdef", text[:1]):
		return "00" + text
	}
	return text
}

func TestSRP(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	for range 3 { // numbers of different lengths
		if out := srp(c, email, password); out["AuthenticationResult"] == nil {
			t.Fatalf("sign-in failed: %v", out["code"])
		}
	}
	wrong, unknown := srp(c, email, "Wrong-horse-9"), srp(c, "nobody@example.com", password)
	if wrong["code"] != "NotAuthorizedException" || unknown["code"] != "NotAuthorizedException" || wrong["message"] != unknown["message"] {
		t.Errorf("wrong password %v, unknown user %v", wrong, unknown)
	}
	for _, bad := range []string{"", "0", "zz", srpPrime, strings.Repeat("f", 2000)} {
		c.fails("InitiateAuth", object{"AuthFlow": "USER_SRP_AUTH", "AuthParameters": object{"USERNAME": email, "SRP_A": bad}}, "InvalidParameterException")
	}
	c.fails("RespondToAuthChallenge", object{"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": object{"PASSWORD_CLAIM_SECRET_BLOCK": "AAAA"}}, "NotAuthorizedException")
}

const srpPrime = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
