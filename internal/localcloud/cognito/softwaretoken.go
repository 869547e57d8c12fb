package cognito

import (
	"regexp"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

var errSetupCode = fail("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")

var setupCodeForm = regexp.MustCompile(`^[0-9]{6}$`)

// softwareTokenInput is of AssociateSoftwareToken and VerifySoftwareToken: whose
// authenticator it is tell either a token or the session of MFA_SETUP.
type softwareTokenInput struct {
	AccessToken string
	Session     string
	UserCode    string // of VerifySoftwareToken
}

type associateOutput struct {
	SecretCode string
	Session    string `json:",omitempty"`
}

// associateSoftwareToken makes the secret of a new authenticator. The one that
// the user has stays until the new one is verified.
func (s *Service) associateSoftwareToken(in softwareTokenInput) (*associateOutput, *awsapi.Error) {
	owner, err := s.ownerOf(in)
	if err != nil {
		return nil, err
	}
	out := &associateOutput{Session: owner.renewed()}
	return out, owner.edit(func(_ *pool, u *user) *awsapi.Error {
		u.Associated = newAuthenticator()
		out.SecretCode = u.Associated.Secret
		return nil
	})
}

type verifyOutput struct {
	Status  string
	Session string `json:",omitempty"`
}

// verifySoftwareToken takes the new authenticator in use. Where MFA is optional
// it is asked for codes only once the user prefers that.
func (s *Service) verifySoftwareToken(in softwareTokenInput) (*verifyOutput, *awsapi.Error) {
	if !setupCodeForm.MatchString(in.UserCode) {
		return nil, invalid("1 validation error detected: Value at 'userCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9]+ and have length 6")
	}
	owner, err := s.ownerOf(in)
	if err != nil {
		return nil, err
	}
	err = owner.edit(func(p *pool, u *user) *awsapi.Error {
		if u.Associated == nil {
			return errNoUserMFA
		}
		if u.Associated.spend(in.UserCode, s.deps.Now()) != nil {
			return errSetupCode
		}
		u.Authenticator, u.Associated = u.Associated, nil
		u.MFA = u.MFA || p.MFA == mfaOn
		return nil
	})
	if err != nil {
		owner.giveBack(in.Session)
		return nil, err
	}
	owner.pending.verified = true
	return &verifyOutput{Status: "SUCCESS", Session: owner.renewed()}, nil
}

// tokenOwner is whose authenticator is set up.
type tokenOwner struct {
	service *Service
	pool    *pool
	sub     string
	pending *challenge // what the sign-in waits for; of no meaning with a token
	signing bool       // with a session
}

func (s *Service) ownerOf(in softwareTokenInput) (tokenOwner, *awsapi.Error) {
	owner := tokenOwner{service: s, pending: &challenge{}}
	switch {
	case (in.AccessToken == "") == (in.Session == ""):
		return owner, invalid("Either AccessToken or Session is required, and not both")
	case in.AccessToken != "":
		p, u, err := s.bearer(in.AccessToken)
		if err != nil {
			return owner, err
		}
		owner.pool, owner.sub = p, u.Sub
	default:
		pending, err := s.take(in.Session, mfaSetup, "")
		if err != nil {
			return owner, err
		}
		a, err := s.resume(pending)
		if err != nil {
			return owner, err
		}
		owner.pool, owner.sub, owner.pending, owner.signing = a.pool, pending.sub, &pending, true
	}
	if !s.declared(owner.pool).servesMFA() {
		return owner, errNoPoolMFA
	}
	return owner, nil
}

func (o tokenOwner) edit(f func(*pool, *user) *awsapi.Error) *awsapi.Error {
	o.service.mu.Lock()
	defer o.service.mu.Unlock()
	u := o.pool.users[o.sub]
	if u == nil {
		return fail("UserNotFoundException", "User does not exist.")
	}
	u.Modified = o.service.deps.Now()
	return f(o.pool, u)
}

// renewed is the next session of the sign-in, "" if there is none.
func (o tokenOwner) renewed() string {
	if !o.signing {
		return ""
	}
	return o.service.ask(newSession(), *o.pending)
}

// giveBack lets a session be used once more.
func (o tokenOwner) giveBack(session string) {
	if o.signing {
		o.service.putBack(session, *o.pending)
	}
}
