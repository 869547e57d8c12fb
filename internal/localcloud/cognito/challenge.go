package cognito

import (
	"encoding/base64"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

type respondInput struct {
	ChallengeName      string
	ChallengeResponses map[string]string
	ClientID           string `json:"ClientId"`
	Session            string
}

func (s *Service) respondToAuthChallenge(in respondInput) (*authOutput, *awsapi.Error) {
	switch in.ChallengeName {
	case "PASSWORD_VERIFIER":
		return s.verifyPassword(in)
	case "NEW_PASSWORD_REQUIRED":
		return s.replacePassword(in)
	}
	return nil, invalid("The local cloud does not serve challenge %q", in.ChallengeName)
}

// verifyPassword ends an SRP sign-in.
func (s *Service) verifyPassword(in respondInput) (*authOutput, *awsapi.Error) {
	answers := in.ChallengeResponses
	block, err := base64.StdEncoding.DecodeString(answers["PASSWORD_CLAIM_SECRET_BLOCK"])
	if err != nil {
		return nil, invalid("PASSWORD_CLAIM_SECRET_BLOCK is not base64")
	}
	pending, refused := s.take(string(block), in.ChallengeName, in.ClientID)
	if refused != nil {
		return nil, errWrongPassword
	}
	if err := pending.exchange.proves(answers["PASSWORD_CLAIM_SIGNATURE"], answers["TIMESTAMP"]); err != nil {
		return nil, err
	}
	a, refused := s.resume(pending, answers)
	if refused != nil {
		return nil, refused
	}
	return s.proven(a)
}

// resume finds the user of a challenge again: both may have gone meanwhile.
func (s *Service) resume(pending challenge, answers map[string]string) (signInAttempt, *awsapi.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.clients[pending.clientID]
	if p == nil || p.users[pending.sub] == nil {
		return signInAttempt{}, errWrongPassword
	}
	a := signInAttempt{pool: p, client: p.clients[pending.clientID], user: *p.users[pending.sub], known: true}
	return a, a.client.checkSecret(answers["USERNAME"], answers["SECRET_HASH"])
}

// replacePassword ends the first sign-in of a user whom an administrator made.
func (s *Service) replacePassword(in respondInput) (*authOutput, *awsapi.Error) {
	text := in.ChallengeResponses["NEW_PASSWORD"]
	pending, err := s.take(in.Session, in.ChallengeName, in.ClientID)
	if err != nil {
		return nil, err
	}
	a, err := s.resume(pending, in.ChallengeResponses)
	if err != nil {
		return nil, err
	}
	if err := s.policy(a.pool).check(text); err != nil {
		s.ask(in.Session, pending, a.client.AuthSessionValidity) // the client may try another
		return nil, err
	}
	changed, err := s.setPassword(a.pool, a.user, text, func(u *user) { u.Status = statusConfirmed })
	if err != nil {
		return nil, err
	}
	a.user = changed
	return s.signedIn(a)
}

func (s *Service) policy(p *pool) PasswordPolicy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.PasswordPolicy
}

// setPassword hashes a password without the lock, then stores it and whatever
// change does.
func (s *Service) setPassword(p *pool, u user, text string, change func(*user)) (user, *awsapi.Error) {
	pw, err := newPassword(s.poolID(p), u.Username, text)
	if err != nil {
		return u, internalError
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := p.users[u.Sub]
	if stored == nil {
		return u, fail("UserNotFoundException", "User does not exist.")
	}
	stored.Password, stored.Modified = pw, s.deps.Now()
	change(stored)
	return *stored, nil
}

func (s *Service) poolID(p *pool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.ID
}
