package cognito

import (
	"encoding/base64"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

type respondInput struct {
	ChallengeName      string
	ChallengeResponses map[string]string
	ClientID           string `json:"ClientId"`
	UserPoolID         string `json:"UserPoolId"` // of AdminRespondToAuthChallenge
	Session            string
}

func (s *Service) respondToAuthChallenge(in respondInput) (*authOutput, *awsapi.Error) {
	switch in.ChallengeName {
	case "PASSWORD_VERIFIER":
		return s.verifyPassword(in)
	case "NEW_PASSWORD_REQUIRED":
		return s.replacePassword(in)
	case softwareToken:
		return s.checkCode(in)
	case mfaSetup:
		return s.completeSetup(in)
	}
	return nil, invalid("The local cloud does not serve challenge %q", in.ChallengeName)
}

func (s *Service) adminRespondToAuthChallenge(in respondInput) (*authOutput, *awsapi.Error) {
	s.mu.Lock()
	p := s.clients[in.ClientID]
	s.mu.Unlock()
	if p == nil || p != s.poolByID(in.UserPoolID) {
		return nil, noClient(in.ClientID)
	}
	return s.respondToAuthChallenge(in)
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
	if err := checkTimestamp(answers["TIMESTAMP"]); err != nil {
		return nil, err
	}
	a, refused := s.resume(pending)
	if refused != nil {
		return nil, refused // nobody, whose proof cannot be right
	}
	if err := s.tryPassword(a, func() bool { return pending.exchange.proves(answers["PASSWORD_CLAIM_SIGNATURE"], answers["TIMESTAMP"]) }); err != nil {
		return nil, err
	}
	if err := a.client.checkSecret(answers["USERNAME"], answers["SECRET_HASH"]); err != nil {
		return nil, err
	}
	return s.proven(a)
}

// answered takes the challenge that an answer belongs to, and finds its user.
func (s *Service) answered(in respondInput) (challenge, signInAttempt, *awsapi.Error) {
	name := in.ChallengeResponses["USERNAME"]
	if name == "" {
		return challenge{}, signInAttempt{}, invalid("Missing required parameter USERNAME")
	}
	pending, err := s.take(in.Session, in.ChallengeName, in.ClientID)
	if err != nil {
		return challenge{}, signInAttempt{}, err
	}
	a, err := s.resume(pending)
	if err != nil {
		return challenge{}, signInAttempt{}, err
	}
	if !s.isCalled(a, name) {
		return challenge{}, signInAttempt{}, errNoSession
	}
	return pending, a, a.client.checkSecret(name, in.ChallengeResponses["SECRET_HASH"])
}

func (s *Service) isCalled(a signInAttempt, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := a.pool.find(name)
	return ok && u.Sub == a.user.Sub
}

// resume finds the user of a challenge again: pool and user may have gone
// meanwhile.
func (s *Service) resume(pending challenge) (signInAttempt, *awsapi.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.clients[pending.clientID]
	if p == nil || p.users[pending.sub] == nil {
		return signInAttempt{}, errWrongPassword
	}
	return signInAttempt{pool: p, client: p.clients[pending.clientID], user: *p.users[pending.sub], known: true}, nil
}

// replacePassword ends the first sign-in of a user whom an administrator made.
func (s *Service) replacePassword(in respondInput) (*authOutput, *awsapi.Error) {
	text := in.ChallengeResponses["NEW_PASSWORD"]
	pending, a, err := s.answered(in)
	if err != nil {
		return nil, err
	}
	if err := s.declared(a.pool).PasswordPolicy.check(text); err != nil {
		s.putBack(in.Session, pending)
		return nil, err
	}
	changed, err := s.setPassword(a.pool, a.user, text, func(u *user) { u.Status = statusConfirmed })
	if err != nil {
		return nil, err
	}
	a.user = changed
	return s.secondFactor(a)
}

// declared is what the program declared of a pool.
func (s *Service) declared(p *pool) UserPool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.UserPool
}

// setPassword hashes a password without the lock, then stores it and whatever
// change does.
func (s *Service) setPassword(p *pool, u user, text string, change func(*user)) (user, *awsapi.Error) {
	pw, err := newPassword(s.declared(p).ID, u.Username, text)
	if err != nil {
		return u, internalError
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := p.users[u.Sub]
	if stored == nil {
		return u, fail("UserNotFoundException", "User does not exist.")
	}
	stored.Password, stored.PasswordAt, stored.Modified = pw, s.deps.Now(), s.deps.Now()
	change(stored)
	return *stored, nil
}
