package cognito

import (
	"regexp"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Values of MfaConfiguration.
const (
	mfaOff      = "OFF"
	mfaOptional = "OPTIONAL"
	mfaOn       = "ON"
)

// Names of the challenges about a second factor, and the one factor there is.
const (
	softwareToken = "SOFTWARE_TOKEN_MFA"
	mfaSetup      = "MFA_SETUP"
)

var (
	errNoPoolMFA  = fail("SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
	errNoUserMFA  = fail("SoftwareTokenMFANotFoundException", "Software Token MFA does not exist for the user.")
	errSetupCode  = fail("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
	setupCodeForm = regexp.MustCompile(`^[0-9]{6}$`)
)

// asksForCode tells whether a user of the pool signs in with a code: where MFA
// is required, whoever has an authenticator, whatever the preference says.
func (p UserPool) asksForCode(u *user) bool {
	return u.Authenticator != nil && (p.MFA == mfaOn || p.MFA == mfaOptional && u.MFA)
}

func (p UserPool) servesMFA() bool { return p.MFA == mfaOptional || p.MFA == mfaOn }

// secondFactor goes on after the password: with a code, with the set-up of an
// authenticator that the pool demands, or to the end.
func (s *Service) secondFactor(a signInAttempt) (*authOutput, *awsapi.Error) {
	switch declared := s.declared(a.pool); {
	case declared.asksForCode(&a.user):
		return s.pose(a, softwareToken, map[string]string{}), nil
	case declared.MFA == mfaOn:
		return s.pose(a, mfaSetup, map[string]string{"MFAS_CAN_SETUP": `["` + softwareToken + `"]`}), nil
	}
	return s.signedIn(a)
}

// checkCode answers SOFTWARE_TOKEN_MFA. A wrong code leaves the session valid.
func (s *Service) checkCode(in respondInput) (*authOutput, *awsapi.Error) {
	code := in.ChallengeResponses["SOFTWARE_TOKEN_MFA_CODE"]
	if code == "" {
		return nil, invalid("Missing required parameter SOFTWARE_TOKEN_MFA_CODE")
	}
	pending, a, err := s.answered(in)
	if err != nil {
		return nil, err
	}
	if err := s.spendCode(a, code); err != nil {
		s.putBack(in.Session, pending)
		return nil, err
	}
	return s.signedIn(a)
}

func (s *Service) spendCode(a signInAttempt, code string) *awsapi.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.deps.Now()
	if err := a.pool.locked(a.user.Sub, now); err != nil {
		return err
	}
	u := a.pool.users[a.user.Sub]
	if u == nil || u.Authenticator == nil {
		return errNoUserMFA
	}
	err := u.Authenticator.spend(code, now)
	if err == errWrongCode { //nolint:errorlint // one value, never wrapped
		a.pool.failed(a.user.Sub, now)
	}
	return err
}

// completeSetup answers MFA_SETUP with the session of VerifySoftwareToken.
func (s *Service) completeSetup(in respondInput) (*authOutput, *awsapi.Error) {
	pending, a, err := s.answered(in)
	if err != nil {
		return nil, err
	}
	if !pending.verified {
		s.putBack(in.Session, pending)
		return nil, errNoUserMFA
	}
	return s.signedIn(a)
}

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

type mfaSettings struct{ Enabled, PreferredMfa bool }

type mfaPreferenceInput struct {
	AccessToken              string // of SetUserMFAPreference
	UserPoolID               string `json:"UserPoolId"` // of AdminSetUserMFAPreference
	Username                 string
	SoftwareTokenMfaSettings *mfaSettings
	SMSMfaSettings           *mfaSettings
	EmailMfaSettings         *mfaSettings
}

func (s *Service) setUserMFAPreference(in mfaPreferenceInput) (empty, *awsapi.Error) {
	p, found, err := s.bearer(in.AccessToken)
	if err != nil {
		return empty{}, err
	}
	owner := tokenOwner{service: s, pool: p, sub: found.Sub}
	return empty{}, owner.edit(in.apply)
}

func (s *Service) adminSetUserMFAPreference(in mfaPreferenceInput) (empty, *awsapi.Error) {
	return s.change(adminInput{UserPoolID: in.UserPoolID, Username: in.Username}, in.apply)
}

func (in mfaPreferenceInput) apply(p *pool, u *user) *awsapi.Error {
	for _, other := range []*mfaSettings{in.SMSMfaSettings, in.EmailMfaSettings} {
		if other != nil && (other.Enabled || other.PreferredMfa) {
			return invalid("The local cloud does not serve MFA by SMS or e-mail")
		}
	}
	t := in.SoftwareTokenMfaSettings
	switch {
	case t == nil:
		return nil
	case t.PreferredMfa && !t.Enabled:
		return invalid("A preferred MFA method must be enabled")
	case t.Enabled && !p.servesMFA():
		return invalid("User pool does not have SOFTWARE_TOKEN_MFA enabled.")
	case t.Enabled && u.Authenticator == nil:
		return invalid("User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA")
	}
	u.MFA = t.Enabled || p.MFA == mfaOn // where MFA is required, turning it off succeeds without effect
	return nil
}

// mfaList is what GetUser and AdminGetUser tell of a user's factors.
type mfaList struct {
	PreferredMfaSetting string   `json:",omitempty"`
	UserMFASettingList  []string `json:",omitempty"`
}

func (p UserPool) mfaListOf(u *user) mfaList {
	if !p.asksForCode(u) {
		return mfaList{}
	}
	return mfaList{softwareToken, []string{softwareToken}}
}
