package cognito

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

var (
	errWrongPassword = fail("NotAuthorizedException", "Incorrect username or password.")
	errNoSession     = fail("NotAuthorizedException", "Invalid session for the user.")
	errRefreshToken  = fail("NotAuthorizedException", "Invalid Refresh Token")
)

type initiateAuthInput struct {
	AuthFlow       string
	AuthParameters map[string]string
	ClientID       string `json:"ClientId"`
	UserPoolID     string `json:"UserPoolId"` // of AdminInitiateAuth
}

type authOutput struct {
	AuthenticationResult *authenticationResult `json:",omitempty"`
	ChallengeName        string                `json:",omitempty"`
	ChallengeParameters  map[string]string
	Session              string `json:",omitempty"`
}

// signInAttempt is a sign-in with copies of what it needs, so that the slow
// part of it needs no lock.
type signInAttempt struct {
	pool   *pool
	client Client
	user   user
	known  bool
}

// attempt finds client and user. A client that hides who exists goes on with
// a user whom nothing matches.
func (s *Service) attempt(clientID, username string) (signInAttempt, *awsapi.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.clients[clientID]
	if p == nil {
		return signInAttempt{}, noClient(clientID)
	}
	a := signInAttempt{pool: p, client: p.clients[clientID]}
	if u, ok := p.find(username); ok {
		a.user, a.known = *u, true
		return a, nil
	}
	if a.client.PreventUserExistenceErrors != "ENABLED" {
		return a, fail("UserNotFoundException", "User does not exist.")
	}
	a.user = user{Username: username, Password: password{SRPSalt: sum([]byte(p.ID), []byte(username))[:16], SRPVerifier: randomBytes(384)}}
	return a, nil
}

func noClient(id string) *awsapi.Error {
	return fail("ResourceNotFoundException", "User pool client %s does not exist.", id)
}

func (s *Service) initiateAuth(in initiateAuthInput) (*authOutput, *awsapi.Error) {
	switch in.AuthFlow {
	case "USER_PASSWORD_AUTH":
		return s.passwordAuth(in, "ALLOW_USER_PASSWORD_AUTH")
	case "USER_SRP_AUTH":
		return s.srpAuth(in)
	case "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN":
		return s.refreshAuth(in)
	}
	return nil, invalid("The local cloud does not serve auth flow %q", in.AuthFlow)
}

func (s *Service) adminInitiateAuth(in initiateAuthInput) (*authOutput, *awsapi.Error) {
	s.mu.Lock()
	p := s.clients[in.ClientID]
	s.mu.Unlock()
	if p == nil || p != s.poolByID(in.UserPoolID) {
		return nil, noClient(in.ClientID)
	}
	switch in.AuthFlow {
	case "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH":
		return s.passwordAuth(in, "ALLOW_ADMIN_USER_PASSWORD_AUTH")
	}
	return s.initiateAuth(in)
}

func (s *Service) poolByID(id string) *pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pools[id]
}

// allows checks that the client has a flow enabled.
func (c Client) allows(allow, flow string) *awsapi.Error {
	if !slices.Contains(c.ExplicitAuthFlows, allow) {
		return invalid("%s flow not enabled for this client", flow)
	}
	return nil
}

// checkSecret checks the SECRET_HASH of a client that has a secret.
func (c Client) checkSecret(username, secretHash string) *awsapi.Error {
	switch {
	case c.Secret == "":
		return nil
	case secretHash == "":
		return fail("NotAuthorizedException", "Client %s is configured with secret but SECRET_HASH was not received", c.ID)
	case !equal(base64.StdEncoding.EncodeToString(sum([]byte(c.Secret), []byte(username+c.ID))), secretHash):
		return fail("NotAuthorizedException", "SecretHash does not match for the client: %s", c.ID)
	}
	return nil
}

func (s *Service) passwordAuth(in initiateAuthInput, allow string) (*authOutput, *awsapi.Error) {
	name, text := in.AuthParameters["USERNAME"], in.AuthParameters["PASSWORD"]
	if name == "" || text == "" {
		return nil, invalid("Missing required parameter USERNAME or PASSWORD")
	}
	a, err := s.attempt(in.ClientID, name)
	if a.pool != nil {
		if flowErr := a.client.allows(allow, in.AuthFlow); flowErr != nil {
			return nil, flowErr
		}
	}
	if err != nil {
		return nil, err
	}
	if err := a.client.checkSecret(name, in.AuthParameters["SECRET_HASH"]); err != nil {
		return nil, err
	}
	if err := s.tryPassword(a, func() bool { return a.user.Password.matches(text) }); err != nil {
		return nil, err
	}
	return s.proven(a)
}

// proven goes on after the user has shown the password.
func (s *Service) proven(a signInAttempt) (*authOutput, *awsapi.Error) {
	switch {
	case a.user.Disabled:
		return nil, fail("NotAuthorizedException", "User is disabled.")
	case a.user.Status == statusUnconfirmed:
		return nil, fail("UserNotConfirmedException", "User is not confirmed.")
	case a.user.Status == statusForcePassword && s.deps.Now().After(a.user.PasswordAt.Add(s.declared(a.pool).TemporaryPasswordValidity)):
		return nil, fail("NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.")
	case a.user.Status == statusForcePassword:
		return s.askForPassword(a)
	}
	return s.secondFactor(a)
}

func (s *Service) signedIn(a signInAttempt) (*authOutput, *awsapi.Error) {
	s.mu.Lock()
	delete(a.pool.lockouts, a.user.Sub)
	s.mu.Unlock()
	result, err := s.signIn(a.pool, a.client, a.user)
	if err != nil {
		return nil, err
	}
	return &authOutput{AuthenticationResult: result, ChallengeParameters: map[string]string{}}, nil
}

// challenge is a sign-in that waits for the client's answer.
type challenge struct {
	name     string
	clientID string
	sub      string // "" for a user that does not exist
	exchange *srpExchange
	verified bool          // of MFA_SETUP: the authenticator is
	validity time.Duration // of each of its sessions
	expires  time.Time
}

// ask remembers a challenge under a key that only the client learns, and
// returns the key.
func (s *Service) ask(key string, c challenge) string {
	now := s.deps.Now()
	c.expires = now.Add(c.validity)
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, pending := range s.challenges {
		if now.After(pending.expires) {
			delete(s.challenges, old)
		}
	}
	s.challenges[key] = c
	return key
}

// putBack lets the client try another answer, for as long as it could before.
func (s *Service) putBack(key string, c challenge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.challenges[key] = c
}

func newSession() string { return base64.StdEncoding.EncodeToString(randomBytes(64)) }

// pose asks a challenge about a user.
func (s *Service) pose(a signInAttempt, name string, parameters map[string]string) *authOutput {
	parameters["USER_ID_FOR_SRP"] = a.user.Username
	c := challenge{name: name, clientID: a.client.ID, sub: a.user.Sub, validity: a.client.AuthSessionValidity}
	return &authOutput{ChallengeName: name, ChallengeParameters: parameters, Session: s.ask(newSession(), c)}
}

// take returns a challenge once. Calls that name no client pass "".
func (s *Service) take(key, name, clientID string) (challenge, *awsapi.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.challenges[key]
	delete(s.challenges, key)
	if !ok || c.name != name || clientID != "" && c.clientID != clientID || s.deps.Now().After(c.expires) {
		return challenge{}, errNoSession
	}
	return c, nil
}

func (s *Service) askForPassword(a signInAttempt) (*authOutput, *awsapi.Error) {
	attributes := map[string]string{}
	for name, value := range a.user.Attributes {
		if name != "sub" {
			attributes[name] = value
		}
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return nil, internalError
	}
	return s.pose(a, "NEW_PASSWORD_REQUIRED", map[string]string{"requiredAttributes": "[]", "userAttributes": string(text)}), nil
}

func (s *Service) refreshAuth(in initiateAuthInput) (*authOutput, *awsapi.Error) {
	s.mu.Lock()
	p := s.clients[in.ClientID]
	if p == nil {
		s.mu.Unlock()
		return nil, noClient(in.ClientID)
	}
	client := p.clients[in.ClientID]
	session, ok := p.refresh[refreshKey(in.AuthParameters["REFRESH_TOKEN"])]
	_, revoked := p.revoked[session.OriginJTI]
	var u user
	if found := p.users[session.Sub]; found != nil {
		u = *found
	}
	s.mu.Unlock()

	if err := client.allows("ALLOW_REFRESH_TOKEN_AUTH", in.AuthFlow); err != nil {
		return nil, err
	}
	switch {
	case !ok || session.ClientID != client.ID || u.Sub == "":
		return nil, errRefreshToken
	case s.deps.Now().After(session.Expires):
		return nil, fail("NotAuthorizedException", "Refresh Token has expired")
	case revoked:
		return nil, fail("NotAuthorizedException", "Refresh Token has been revoked")
	case u.Disabled:
		return nil, fail("NotAuthorizedException", "User is disabled.")
	}
	if err := client.checkSecret(u.Username, in.AuthParameters["SECRET_HASH"]); err != nil {
		return nil, err
	}
	result, err := s.issue(p, client, u, session)
	if err != nil {
		return nil, err
	}
	return &authOutput{AuthenticationResult: result, ChallengeParameters: map[string]string{}}, nil
}
