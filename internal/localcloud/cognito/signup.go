package cognito

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

type signUpInput struct {
	ClientID       string `json:"ClientId"`
	SecretHash     string
	Username       string
	Password       string
	UserAttributes []attribute
}

type signUpOutput struct {
	CodeDeliveryDetails *delivery `json:",omitempty"`
	UserConfirmed       bool
	UserSub             string
}

// client returns copies of a client and its pool's declaration.
func (s *Service) client(id string) (*pool, UserPool, Client, *awsapi.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.clients[id]
	if p == nil {
		return nil, UserPool{}, Client{}, noClient(id)
	}
	return p, p.UserPool, p.clients[id], nil
}

func (s *Service) signUp(in signUpInput) (*signUpOutput, *awsapi.Error) {
	p, declared, client, err := s.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	if err := client.checkSecret(in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	if declared.AdminCreateUserOnly {
		return nil, fail("NotAuthorizedException", "SignUp is not permitted for this user pool")
	}
	attributes, err := (&pool{UserPool: declared}).newAttributes(in.Username, in.UserAttributes, false)
	if err != nil {
		return nil, err
	}
	if err := declared.PasswordPolicy.check(in.Password); err != nil {
		return nil, err
	}
	sub := awsapi.NewRequestID()
	pw, hashErr := newPassword(declared.ID, internalName(declared, in.Username, sub), in.Password)
	if hashErr != nil {
		return nil, internalError
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := p.add(in.Username, attributes, statusUnconfirmed, pw, sub, s.deps.Now())
	if err != nil {
		return nil, err
	}
	return &signUpOutput{CodeDeliveryDetails: s.mailSignUpCode(p, u), UserSub: sub}, nil
}

// internalName is the name that a user will have: the sub in a pool with
// e-mail sign-in.
func internalName(p UserPool, name, sub string) string {
	if slices.Contains(p.UsernameAttributes, "email") {
		return sub
	}
	return name
}

// mailSignUpCode sends a code if the pool verifies e-mail and the user has one.
func (s *Service) mailSignUpCode(p *pool, u *user) *delivery {
	address := u.Attributes["email"]
	if address == "" || !slices.Contains(p.AutoVerifiedAttributes, "email") {
		return nil
	}
	u.SignUpCode = &mailedCode{Value: newCode(), Expires: s.deps.Now().Add(signUpCodeLife)}
	s.mail(address, "Your verification code", u.SignUpCode.Value)
	return deliveryTo(address)
}

func newCode() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // never fails (crypto/rand)
	return fmt.Sprintf("%06d", n)
}

// maxOutbox bounds the mails that are kept.
const maxOutbox = 10_000

func (s *Service) mail(to, subject, code string) {
	if len(s.outbox) >= maxOutbox {
		s.outbox = slices.Delete(s.outbox, 0, 1)
	}
	s.outbox = append(s.outbox, Mail{to, subject, code})
}

type codeInput struct {
	ClientID         string `json:"ClientId"`
	SecretHash       string
	Username         string
	ConfirmationCode string
	Password         string // of ConfirmForgotPassword
}

// withUser checks the client and runs f on a user under the lock. unknown is
// what a client that hides who exists answers for nobody; others are told.
func (s *Service) withUser(in codeInput, unknown *awsapi.Error, f func(*pool, *user) *awsapi.Error) *awsapi.Error {
	p, _, client, err := s.client(in.ClientID)
	if err != nil {
		return err
	}
	if err := client.checkSecret(in.Username, in.SecretHash); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := p.find(in.Username)
	switch {
	case ok:
		return f(p, u)
	case client.PreventUserExistenceErrors == "ENABLED":
		return unknown
	}
	return fail("UserNotFoundException", "Username/client id combination not found.")
}

func (s *Service) confirmSignUp(in codeInput) (empty, *awsapi.Error) {
	unknown := fail("ExpiredCodeException", "Invalid code provided, please request a code again.")
	return empty{}, s.withUser(in, unknown, func(_ *pool, u *user) *awsapi.Error {
		if u.Status != statusUnconfirmed {
			return fail("NotAuthorizedException", "User cannot be confirmed. Current status is %s", u.Status)
		}
		if err := u.SignUpCode.check(in.ConfirmationCode, s.deps.Now()); err != nil {
			return err
		}
		s.confirm(u)
		s.verifyEmail(u)
		return nil
	})
}

func (s *Service) confirm(u *user) {
	u.Status, u.SignUpCode, u.Modified = statusConfirmed, nil, s.deps.Now()
}

// verifyEmail notes that the user reads the mail.
func (s *Service) verifyEmail(u *user) {
	u.Attributes = with(u.Attributes, "email_verified", "true")
}

type codeOutput struct{ CodeDeliveryDetails *delivery }

func (s *Service) resendConfirmationCode(in codeInput) (*codeOutput, *awsapi.Error) {
	out := &codeOutput{deliveryTo(in.Username)}
	return out, s.withUser(in, nil, func(p *pool, u *user) *awsapi.Error {
		if u.Status != statusUnconfirmed {
			return invalid("User is already confirmed.")
		}
		out.CodeDeliveryDetails = s.mailSignUpCode(p, u)
		return nil
	})
}

func (s *Service) forgotPassword(in codeInput) (*codeOutput, *awsapi.Error) {
	out := &codeOutput{deliveryTo(in.Username)}
	return out, s.withUser(in, nil, func(_ *pool, u *user) *awsapi.Error {
		address := u.Attributes["email"]
		switch {
		case u.Disabled:
			return fail("NotAuthorizedException", "User is disabled.")
		case u.Status == statusForcePassword:
			return fail("NotAuthorizedException", "User password cannot be reset in the current state.")
		case address == "" || u.Attributes["email_verified"] != "true":
			return invalid("Cannot reset password for the user as there is no registered/verified email or phone_number")
		}
		u.ResetCode = &mailedCode{Value: newCode(), Expires: s.deps.Now().Add(resetCodeLife)}
		s.mail(address, "Your password reset code", u.ResetCode.Value)
		out.CodeDeliveryDetails = deliveryTo(address)
		return nil
	})
}

func (s *Service) confirmForgotPassword(in codeInput) (empty, *awsapi.Error) {
	var proven user
	var owner *pool
	unknown := fail("CodeMismatchException", "Invalid verification code provided, please try again.")
	err := s.withUser(in, unknown, func(p *pool, u *user) *awsapi.Error {
		if err := p.PasswordPolicy.check(in.Password); err != nil {
			return err
		}
		if err := u.ResetCode.check(in.ConfirmationCode, s.deps.Now()); err != nil {
			return err
		}
		u.ResetCode = nil // one code, one password
		proven, owner = *u, p
		return nil
	})
	if err != nil {
		return empty{}, err
	}
	_, err = s.setPassword(owner, proven, in.Password, s.confirm)
	return empty{}, err
}
