package cognito

import "github.com/streaming-service/streaming-service/internal/localcloud/awsapi"

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
	errNoPoolMFA = fail("SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
	errNoUserMFA = fail("SoftwareTokenMFANotFoundException", "Software Token MFA does not exist for the user.")
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
