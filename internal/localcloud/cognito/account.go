package cognito

import (
	"maps"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

var (
	errAccessToken  = fail("NotAuthorizedException", "Invalid Access Token")
	errTokenExpired = fail("NotAuthorizedException", "Access Token has expired")
	errTokenRevoked = fail("NotAuthorizedException", "Access Token has been revoked")
)

// with returns a copy of m with one value set.
func with(m map[string]string, name, value string) map[string]string {
	m = maps.Clone(m)
	m[name] = value
	return m
}

type accessInput struct{ AccessToken string }

// bearer returns the user of an access token, unlike JWKS checks also with
// revocation in mind.
func (s *Service) bearer(token string) (*pool, user, *awsapi.Error) {
	p, claims, err := s.readAccessToken(token)
	if err != nil {
		return nil, user{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, _ := claims["sub"].(string)
	origin, _ := claims["origin_jti"].(string)
	u := p.users[sub]
	switch {
	case u == nil:
		return nil, user{}, fail("UserNotFoundException", "User does not exist.")
	case u.Disabled:
		return nil, user{}, fail("NotAuthorizedException", "User is disabled.")
	}
	if _, revoked := p.revoked[origin]; revoked {
		return nil, user{}, errTokenRevoked
	}
	return p, *u, nil
}

func (s *Service) readAccessToken(token string) (*pool, map[string]any, *awsapi.Error) {
	issuer := unverifiedIssuer(token)
	id := issuer[strings.LastIndex(issuer, "/")+1:]
	p := s.poolByID(id)
	if p == nil {
		return nil, nil, errAccessToken
	}
	claims, err := s.verify(id, p.keys, token)
	switch {
	case isExpired(err):
		return nil, nil, errTokenExpired
	case err != nil || claims["token_use"] != "access":
		return nil, nil, errAccessToken
	}
	return p, claims, nil
}

type getUserOutput struct {
	Username       string
	UserAttributes []attribute
	mfaList
}

func (s *Service) getUser(in accessInput) (*getUserOutput, *awsapi.Error) {
	p, u, err := s.bearer(in.AccessToken)
	if err != nil {
		return nil, err
	}
	return &getUserOutput{u.Username, list(u.Attributes), s.declared(p).mfaListOf(&u)}, nil
}

type changePasswordInput struct {
	AccessToken      string
	PreviousPassword string
	ProposedPassword string
}

func (s *Service) changePassword(in changePasswordInput) (empty, *awsapi.Error) {
	p, u, err := s.bearer(in.AccessToken)
	if err != nil {
		return empty{}, err
	}
	if err := s.declared(p).PasswordPolicy.check(in.ProposedPassword); err != nil {
		return empty{}, err
	}
	if !u.Password.matches(in.PreviousPassword) {
		return empty{}, errWrongPassword
	}
	_, err = s.setPassword(p, u, in.ProposedPassword, func(*user) {})
	return empty{}, err
}

// globalSignOut revokes all tokens that the user has now.
func (s *Service) globalSignOut(in accessInput) (empty, *awsapi.Error) {
	p, u, err := s.bearer(in.AccessToken)
	if err != nil {
		return empty{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.signOut(u.Sub, s.deps.Now())
	return empty{}, nil
}

func (p *pool) signOut(sub string, now time.Time) {
	for _, session := range p.refresh {
		if session.Sub == sub {
			p.revoke(session, now)
		}
	}
}

// maxTokenLife is the longest validity of an access token (Cognito quotas).
const maxTokenLife = 24 * time.Hour

// revoke refuses the refresh and access tokens of a sign-in for as long as one
// of them may live.
func (p *pool) revoke(session refreshSession, now time.Time) {
	maps.DeleteFunc(p.revoked, func(_ string, until time.Time) bool { return now.After(until) })
	p.revoked[session.OriginJTI] = session.Expires.Add(maxTokenLife)
}

type revokeTokenInput struct {
	ClientID     string `json:"ClientId"`
	ClientSecret string
	Token        string
}

func (s *Service) revokeToken(in revokeTokenInput) (empty, *awsapi.Error) {
	p, _, client, err := s.client(in.ClientID)
	switch {
	case err != nil:
		return empty{}, err
	case client.DisableTokenRevocation:
		return empty{}, fail("UnsupportedOperationException", "Token revocation is not enabled for this client")
	case client.Secret != "" && !equal(client.Secret, in.ClientSecret):
		return empty{}, fail("UnauthorizedException", "Invalid client secret")
	case strings.Count(in.Token, ".") == 2:
		return empty{}, fail("UnsupportedTokenTypeException", "Only refresh tokens can be revoked")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	session, ok := p.refresh[refreshKey(in.Token)]
	if ok && session.ClientID != client.ID {
		return empty{}, fail("UnauthorizedException", "The token was issued to another client")
	}
	if ok {
		p.revoke(session, s.deps.Now())
	}
	return empty{}, nil // a token that is none any more is no error
}

func (s *Service) deleteUser(in accessInput) (empty, *awsapi.Error) {
	p, u, err := s.bearer(in.AccessToken)
	if err != nil {
		return empty{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored := p.users[u.Sub]; stored != nil {
		p.remove(stored)
	}
	return empty{}, nil
}
