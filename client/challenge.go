package client

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// Cognito's names of the challenges that this client can answer.
const (
	newPasswordRequired = "NEW_PASSWORD_REQUIRED"
	softwareTokenMFA    = "SOFTWARE_TOKEN_MFA"
	mfaSetup            = "MFA_SETUP"
)

// Answers are asked for what a sign-in needs beside the password. A sign-in that
// needs one that is nil ends with the *ChallengeError. Where a function is
// called again, refused is Cognito's *AuthError about its last answer.
type Answers struct {
	// NewPassword replaces a temporary password. It is called again after one
	// that the policy of the user pool refuses.
	NewPassword func(ctx context.Context, refused error) (string, error)
	// Code is the code that the user's authenticator app shows. It is called
	// again after a code that is wrong or was used before.
	Code func(ctx context.Context, refused error) (string, error)
	// SetUp has the user add a secret to an authenticator app, and returns the
	// code that the app shows. It is called again after a wrong one.
	SetUp func(ctx context.Context, app *Authenticator, refused error) (code string, err error)
}

// SignInWith signs a user in like SignIn and answers the challenges on the way.
func (a *Auth) SignInWith(ctx context.Context, email, password string, answers Answers) (*Session, error) {
	session, err := a.SignIn(ctx, email, password)
	for {
		challenge, ok := errors.AsType[*ChallengeError](err)
		if !ok {
			return session, err
		}
		answer := a.answer(challenge, answers)
		if answer == nil {
			return nil, challenge
		}
		session, err = answer(ctx)
	}
}

// answer is how a challenge is answered, nil if it cannot be.
func (a *Auth) answer(challenge *ChallengeError, answers Answers) func(context.Context) (*Session, error) {
	switch {
	case challenge.Name == newPasswordRequired && answers.NewPassword != nil:
		return func(ctx context.Context) (*Session, error) {
			return untilTaken(ctx, answers.NewPassword, func(password string) (*Session, error) { return a.SetNewPassword(ctx, challenge, password) })
		}
	case challenge.Name == softwareTokenMFA && answers.Code != nil:
		return func(ctx context.Context) (*Session, error) {
			return untilTaken(ctx, answers.Code, func(code string) (*Session, error) { return a.SendCode(ctx, challenge, code) })
		}
	case challenge.Name == mfaSetup && answers.SetUp != nil:
		return func(ctx context.Context) (*Session, error) {
			app, err := a.NewAuthenticator(ctx, challenge)
			if err != nil {
				return nil, err
			}
			ask := func(ctx context.Context, refused error) (string, error) { return answers.SetUp(ctx, app, refused) }
			return untilTaken(ctx, ask, func(code string) (*Session, error) { return app.Verify(ctx, code) })
		}
	}
	return nil
}

// untilTaken asks again as long as Cognito lets another answer be tried.
func untilTaken(ctx context.Context, ask func(context.Context, error) (string, error), send func(string) (*Session, error)) (*Session, error) {
	var refused error
	for {
		answer, err := ask(ctx, refused)
		if err != nil {
			return nil, err
		}
		session, err := send(answer)
		auth, ok := errors.AsType[*AuthError](err)
		if !ok || !auth.anotherTry() {
			return session, err
		}
		refused = auth
	}
}

// anotherTry reports whether the challenge takes another answer after this one
// was refused.
func (e *AuthError) anotherTry() bool {
	switch e.Code {
	case "CodeMismatchException", "ExpiredCodeException", "EnableSoftwareTokenMFAException", "InvalidPasswordException":
		return true
	}
	return false
}

// SetNewPassword answers the challenge NEW_PASSWORD_REQUIRED of a user whom an
// administrator created with a temporary password. After an *AuthError of
// InvalidPasswordException the challenge takes another password.
func (a *Auth) SetNewPassword(ctx context.Context, challenge *ChallengeError, password string) (*Session, error) {
	return a.respond(ctx, challenge, newPasswordRequired, "NEW_PASSWORD", password)
}

// SendCode answers the challenge SOFTWARE_TOKEN_MFA with the code of the user's
// authenticator app. After an *AuthError of CodeMismatchException or, for a code
// that was used before, ExpiredCodeException, the challenge takes another code.
func (a *Auth) SendCode(ctx context.Context, challenge *ChallengeError, code string) (*Session, error) {
	return a.respond(ctx, challenge, softwareTokenMFA, "SOFTWARE_TOKEN_MFA_CODE", code)
}

func (a *Auth) respond(ctx context.Context, challenge *ChallengeError, name string, answer ...string) (*Session, error) {
	responses := map[string]string{"USERNAME": challenge.userID}
	for i := 0; i+1 < len(answer); i += 2 {
		responses[answer[i]] = answer[i+1]
	}
	var out authAnswer
	err := a.call(ctx, "RespondToAuthChallenge", map[string]any{
		"ClientId": a.clientID, "ChallengeName": name, "Session": challenge.session, "ChallengeResponses": responses,
	}, &out)
	if err != nil {
		return nil, err
	}
	return a.session(challenge.Email, out)
}

// Authenticator is an authenticator app that is being set up.
type Authenticator struct {
	// Secret is what the user gives to the app, in base32. It is to be shown
	// once and kept nowhere else.
	Secret string

	auth      *Auth
	challenge ChallengeError
}

// NewAuthenticator begins to answer the challenge MFA_SETUP: the user gives the
// Secret to an authenticator app, and a code of the app to Verify.
func (a *Auth) NewAuthenticator(ctx context.Context, challenge *ChallengeError) (*Authenticator, error) {
	var out struct{ SecretCode, Session string }
	if err := a.call(ctx, "AssociateSoftwareToken", map[string]string{"Session": challenge.session}, &out); err != nil {
		return nil, err
	}
	app := &Authenticator{Secret: out.SecretCode, auth: a, challenge: *challenge}
	app.challenge.session = out.Session
	return app, nil
}

// URI is the secret as authenticator apps read it from a QR code; issuer names
// the service in the app.
func (s *Authenticator) URI(issuer string) string {
	uri := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + s.challenge.Email}
	query := url.Values{"secret": {s.Secret}, "issuer": {issuer}}
	uri.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // a plus is a plus to some apps
	return uri.String()
}

// Verify ends the set-up and the sign-in with a code of the app. After an
// *AuthError of EnableSoftwareTokenMFAException it takes another code.
func (s *Authenticator) Verify(ctx context.Context, code string) (*Session, error) {
	var out struct{ Session string }
	err := s.auth.call(ctx, "VerifySoftwareToken", map[string]string{"Session": s.challenge.session, "UserCode": code}, &out)
	if err != nil {
		return nil, err
	}
	s.challenge.session = out.Session
	return s.auth.respond(ctx, &s.challenge, mfaSetup)
}
