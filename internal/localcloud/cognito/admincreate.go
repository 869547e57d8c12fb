package cognito

import "github.com/streaming-service/streaming-service/internal/localcloud/awsapi"

type adminCreateUserInput struct {
	UserPoolID        string `json:"UserPoolId"`
	Username          string
	TemporaryPassword string
	UserAttributes    []attribute
	MessageAction     string
}

type adminCreateUserOutput struct{ User userDescription }

func (s *Service) adminCreateUser(in adminCreateUserInput) (*adminCreateUserOutput, *awsapi.Error) {
	var declared UserPool
	if err := s.edit(in.UserPoolID, func(p *pool) *awsapi.Error { declared = p.UserPool; return nil }); err != nil {
		return nil, err
	}
	switch in.MessageAction {
	case "", "SUPPRESS":
	case "RESEND":
		return s.inviteAgain(in, declared)
	default:
		return nil, invalid("Invalid MessageAction value %q", in.MessageAction)
	}
	attributes, err := (&pool{UserPool: declared}).newAttributes(in.Username, in.UserAttributes, true)
	if err != nil {
		return nil, err
	}
	text, err := in.temporaryPassword(declared)
	if err != nil {
		return nil, err
	}
	sub := awsapi.NewRequestID()
	pw, hashErr := newPassword(declared.ID, internalName(declared, in.Username, sub), text)
	if hashErr != nil {
		return nil, internalError
	}
	var out adminCreateUserOutput
	return &out, s.edit(in.UserPoolID, func(p *pool) *awsapi.Error {
		u, err := p.add(in.Username, attributes, statusForcePassword, pw, sub, s.deps.Now())
		if err != nil {
			return err
		}
		if address := attributes["email"]; address != "" && in.MessageAction != "SUPPRESS" {
			s.mail(address, "Your temporary password", text)
		}
		out.User = describe(u)
		return nil
	})
}

// temporaryPassword is the one that is given, or one that follows any policy.
func (in adminCreateUserInput) temporaryPassword(p UserPool) (string, *awsapi.Error) {
	text := in.TemporaryPassword
	if text == "" {
		text = "Aa1!" + randomText(max(12, p.PasswordPolicy.MinimumLength))
	}
	return text, p.PasswordPolicy.check(text)
}

// inviteAgain sends a user who has not chosen a password yet another temporary
// one, whose time begins anew.
func (s *Service) inviteAgain(in adminCreateUserInput, declared UserPool) (*adminCreateUserOutput, *awsapi.Error) {
	text, err := in.temporaryPassword(declared)
	if err != nil {
		return nil, err
	}
	var owner *pool
	var found user
	err = s.editUser(adminInput{UserPoolID: in.UserPoolID, Username: in.Username}, func(p *pool, u *user) *awsapi.Error {
		owner, found = p, *u
		if u.Status != statusForcePassword {
			return fail("UnsupportedUserStateException", "Resend not possible. %s status is not %s", in.Username, statusForcePassword)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	changed, err := s.setPassword(owner, found, text, func(u *user) { s.mail(u.Attributes["email"], "Your temporary password", text) })
	return &adminCreateUserOutput{User: describe(&changed)}, err
}
