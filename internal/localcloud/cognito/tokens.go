package cognito

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// scopeSelf is the scope of access tokens that the API issues.
const scopeSelf = "aws.cognito.signin.user.admin"

// signingKey is one of the two keys of a pool.
type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

// keyPair are the two keys of a pool: Cognito signs ID and access tokens with
// different ones. They are made in the background.
type keyPair struct {
	pair func() ([2]signingKey, error) // ID, access
}

func newKeyPair() *keyPair {
	k := &keyPair{pair: sync.OnceValues(func() (keys [2]signingKey, err error) {
		for i := range keys {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				return keys, fmt.Errorf("making signing key: %w", err)
			}
			keys[i] = signingKey{base64.StdEncoding.EncodeToString(randomBytes(32)), key}
		}
		return keys, nil
	})}
	go func() { _, _ = k.pair() }() // whoever needs the keys sees the error
	return k
}

// savedKey is a signing key in a snapshot.
type savedKey struct {
	ID    string `json:"kid"`
	PKCS8 []byte `json:"pkcs8"`
}

func (k *keyPair) save() ([]savedKey, error) {
	keys, err := k.pair()
	if err != nil {
		return nil, err
	}
	saved := make([]savedKey, len(keys))
	for i, key := range keys {
		der, err := x509.MarshalPKCS8PrivateKey(key.key)
		if err != nil {
			return nil, fmt.Errorf("encoding signing key: %w", err)
		}
		saved[i] = savedKey{key.id, der}
	}
	return saved, nil
}

func restoreKeys(saved []savedKey) (*keyPair, error) {
	var keys [2]signingKey
	if len(saved) != len(keys) {
		return nil, fmt.Errorf("reading signing keys: %d keys instead of %d", len(saved), len(keys))
	}
	for i, s := range saved {
		parsed, err := x509.ParsePKCS8PrivateKey(s.PKCS8)
		if err != nil {
			return nil, fmt.Errorf("reading signing key: %w", err)
		}
		key, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("reading signing key: %T is not an RSA key", parsed)
		}
		keys[i] = signingKey{s.ID, key}
	}
	return &keyPair{func() ([2]signingKey, error) { return keys, nil }}, nil
}

// webKey is a public key as JWKS has it.
type webKey struct {
	Algorithm string `json:"alg"`
	Exponent  string `json:"e"`
	ID        string `json:"kid"`
	Type      string `json:"kty"`
	Modulus   string `json:"n"`
	Use       string `json:"use"`
}

func (k signingKey) public() webKey {
	encode := base64.RawURLEncoding.EncodeToString
	return webKey{"RS256", encode(big.NewInt(int64(k.key.E)).Bytes()), k.id, "RSA", encode(k.key.N.Bytes()), "sig"}
}

func (k signingKey) sign(claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header = map[string]any{"kid": k.id, "alg": "RS256"} // Cognito sends no typ
	signed, err := token.SignedString(k.key)
	if err != nil {
		return "", fmt.Errorf("signing token: %w", err)
	}
	return signed, nil
}

// refreshSession is what a refresh token stands for; it is found by the hash of
// the token.
type refreshSession struct {
	Sub       string    `json:"sub"`
	ClientID  string    `json:"clientId"`
	AuthTime  time.Time `json:"authTime"`
	OriginJTI string    `json:"originJti"`
	Expires   time.Time `json:"expires"`
}

func refreshKey(token string) string {
	hash := sha256.Sum256([]byte(token))
	return hex.EncodeToString(hash[:])
}

// authenticationResult is what a sign-in ends with.
type authenticationResult struct {
	AccessToken  string
	ExpiresIn    int
	IdToken      string //nolint:revive // AWS's name
	RefreshToken string `json:",omitempty"`
	TokenType    string
}

// signIn issues tokens for a fresh sign-in of u.
func (s *Service) signIn(p *pool, c Client, u user) (*authenticationResult, *awsapi.Error) {
	now := s.deps.Now()
	session := refreshSession{Sub: u.Sub, ClientID: c.ID, AuthTime: now, OriginJTI: awsapi.NewRequestID(), Expires: now.Add(c.RefreshTokenValidity)}
	result, err := s.issue(p, c, u, session)
	if err != nil {
		return nil, err
	}
	result.RefreshToken = base64.RawURLEncoding.EncodeToString(randomBytes(64))
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(p.refresh, func(_ string, r refreshSession) bool { return now.After(r.Expires) })
	p.refresh[refreshKey(result.RefreshToken)] = session
	return result, nil
}

// issue makes an ID and an access token.
func (s *Service) issue(p *pool, c Client, u user, session refreshSession) (*authenticationResult, *awsapi.Error) {
	keys, err := p.keys.pair()
	if err != nil {
		return nil, internalError
	}
	s.mu.Lock()
	groups := p.groupsOf(&u)
	s.mu.Unlock()
	now := s.deps.Now()
	idToken, idErr := keys[0].sign(idClaims(c, u, groups, session, now))
	accessToken, accessErr := keys[1].sign(accessClaims(c, u, groups, session, now))
	if errors.Join(idErr, accessErr) != nil {
		return nil, internalError
	}
	return &authenticationResult{AccessToken: accessToken, ExpiresIn: int(c.AccessTokenValidity.Seconds()), IdToken: idToken, TokenType: "Bearer"}, nil
}

func commonClaims(poolID string, u user, groups []Group, session refreshSession, now time.Time, use string, validity time.Duration) jwt.MapClaims {
	claims := jwt.MapClaims{
		"sub": u.Sub, "iss": Issuer(poolID), "token_use": use, "auth_time": session.AuthTime.Unix(), "iat": now.Unix(),
		"exp": now.Add(validity).Unix(), "jti": awsapi.NewRequestID(), "origin_jti": session.OriginJTI, "event_id": awsapi.NewRequestID(),
	}
	if len(groups) > 0 {
		names := make([]string, len(groups))
		for i, g := range groups {
			names[i] = g.Name
		}
		claims["cognito:groups"] = names
	}
	return claims
}

func idClaims(c Client, u user, groups []Group, session refreshSession, now time.Time) jwt.MapClaims {
	claims := commonClaims(c.UserPoolID, u, groups, session, now, "id", c.IDTokenValidity)
	claims["aud"] = c.ID
	claims["cognito:username"] = u.Username
	for name, value := range u.Attributes {
		if strings.HasSuffix(name, "_verified") {
			claims[name] = value == "true"
		} else {
			claims[name] = value
		}
	}
	var roles []string
	for _, g := range groups {
		if g.RoleARN != "" {
			roles = append(roles, g.RoleARN)
		}
	}
	if len(roles) > 0 {
		claims["cognito:roles"], claims["cognito:preferred_role"] = roles, roles[0]
	}
	return claims
}

// accessClaims have a client_id and no aud.
func accessClaims(c Client, u user, groups []Group, session refreshSession, now time.Time) jwt.MapClaims {
	claims := commonClaims(c.UserPoolID, u, groups, session, now, "access", c.AccessTokenValidity)
	claims["client_id"], claims["scope"], claims["username"] = c.ID, scopeSelf, u.Username
	return claims
}

// VerifyToken returns the claims of a token of the pool that is valid now:
// signature, issuer and time. The error is jwt.ErrTokenExpired when only its
// time is up. Like API Gateway it does not notice revocation.
func (s *Service) VerifyToken(userPoolARN, token string) (map[string]any, error) {
	_, id, _ := strings.Cut(userPoolARN, ":userpool/")
	s.mu.Lock()
	p := s.pools[id]
	s.mu.Unlock()
	if p == nil {
		return nil, fmt.Errorf("verifying token: no user pool %q", userPoolARN)
	}
	return s.verify(id, p.keys, token)
}

// VerifyIDToken is VerifyToken for ID tokens only.
func (s *Service) VerifyIDToken(userPoolARN, token string) (map[string]any, error) {
	claims, err := s.VerifyToken(userPoolARN, token)
	if err == nil && claims["token_use"] != "id" {
		return nil, errors.New("verifying token: not an ID token")
	}
	return claims, err
}

func (s *Service) verify(poolID string, pair *keyPair, token string) (map[string]any, error) {
	keys, err := pair.pair()
	if err != nil {
		return nil, err
	}
	claims := jwt.MapClaims{}
	_, err = jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(Issuer(poolID)), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(s.deps.Now), jwt.WithJSONNumber(), jwt.WithStrictDecoding(),
	).ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		use := 0
		if claims["token_use"] == "access" {
			use = 1
		}
		if t.Header["kid"] != keys[use].id {
			return nil, errors.New("unknown key id")
		}
		return &keys[use].key.PublicKey, nil
	})
	if err != nil {
		return nil, fmt.Errorf("verifying token: %w", err)
	}
	return claims, nil
}
