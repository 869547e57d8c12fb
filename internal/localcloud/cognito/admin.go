package cognito

import (
	"errors"
	"slices"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// adminInput names a user, and what some operations do with it.
type adminInput struct {
	UserPoolID string `json:"UserPoolId"`
	Username   string
	GroupName  string
	Password   string
	Permanent  bool
}

// editUser runs f on a user under the lock.
func (s *Service) editUser(in adminInput, f func(*pool, *user) *awsapi.Error) *awsapi.Error {
	return s.edit(in.UserPoolID, func(p *pool) *awsapi.Error {
		u, ok := p.find(in.Username)
		if !ok {
			return fail("UserNotFoundException", "User does not exist.")
		}
		return f(p, u)
	})
}

// change is editUser for what alters the user itself.
func (s *Service) change(in adminInput, f func(*pool, *user) *awsapi.Error) (empty, *awsapi.Error) {
	return empty{}, s.editUser(in, func(p *pool, u *user) *awsapi.Error {
		u.Modified = s.deps.Now()
		return f(p, u)
	})
}

// userDescription is a user as administrators see one.
type userDescription struct {
	Attributes           []attribute `json:",omitempty"` // of lists
	UserAttributes       []attribute `json:",omitempty"` // of AdminGetUser
	Enabled              bool
	UserCreateDate       float64 // epoch seconds
	UserLastModifiedDate float64
	UserStatus           string
	Username             string
	mfaList
}

func describe(u *user) userDescription {
	return userDescription{
		Attributes: list(u.Attributes), Enabled: !u.Disabled, UserStatus: u.Status, Username: u.Username,
		UserCreateDate: epoch(u.Created), UserLastModifiedDate: epoch(u.Modified),
	}
}

func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (s *Service) adminSetUserPassword(in adminInput) (empty, *awsapi.Error) {
	var owner *pool
	var u user
	err := s.editUser(in, func(p *pool, found *user) *awsapi.Error {
		owner, u = p, *found
		return p.PasswordPolicy.check(in.Password)
	})
	if err != nil {
		return empty{}, err
	}
	_, err = s.setPassword(owner, u, in.Password, func(u *user) {
		u.Status = statusForcePassword
		if in.Permanent {
			s.confirm(u)
		}
	})
	return empty{}, err
}

func (s *Service) adminAddUserToGroup(in adminInput) (empty, *awsapi.Error) {
	return s.change(in, func(p *pool, u *user) *awsapi.Error {
		if _, ok := p.groups[in.GroupName]; !ok {
			return fail("ResourceNotFoundException", "Group not found.")
		}
		if !slices.Contains(u.Groups, in.GroupName) {
			u.Groups = append(slices.Clone(u.Groups), in.GroupName)
		}
		return nil
	})
}

func (s *Service) adminRemoveUserFromGroup(in adminInput) (empty, *awsapi.Error) {
	return s.change(in, func(p *pool, u *user) *awsapi.Error {
		if _, ok := p.groups[in.GroupName]; !ok {
			return fail("ResourceNotFoundException", "Group not found.")
		}
		u.Groups = slices.DeleteFunc(slices.Clone(u.Groups), func(name string) bool { return name == in.GroupName })
		return nil
	})
}

type groupDescription struct {
	Description string `json:",omitempty"`
	GroupName   string
	Precedence  *int   `json:",omitempty"`
	RoleARN     string `json:"RoleArn,omitempty"`
	UserPoolID  string `json:"UserPoolId"`
}

type adminListGroupsOutput struct{ Groups []groupDescription }

func (s *Service) adminListGroupsForUser(in adminInput) (*adminListGroupsOutput, *awsapi.Error) {
	out := &adminListGroupsOutput{Groups: []groupDescription{}}
	return out, s.editUser(in, func(p *pool, u *user) *awsapi.Error {
		for _, g := range p.groupsOf(u) {
			out.Groups = append(out.Groups, groupDescription{g.Description, g.Name, g.Precedence, g.RoleARN, p.ID})
		}
		return nil
	})
}

func (s *Service) adminGetUser(in adminInput) (*userDescription, *awsapi.Error) {
	var out userDescription
	return &out, s.editUser(in, func(p *pool, u *user) *awsapi.Error {
		out = describe(u)
		out.Attributes, out.UserAttributes = nil, out.Attributes
		out.mfaList = p.mfaListOf(u)
		return nil
	})
}

func (s *Service) adminConfirmSignUp(in adminInput) (empty, *awsapi.Error) {
	return s.change(in, func(_ *pool, u *user) *awsapi.Error {
		if u.Status != statusUnconfirmed {
			return fail("NotAuthorizedException", "User cannot be confirmed. Current status is %s", u.Status)
		}
		s.confirm(u)
		return nil
	})
}

func (s *Service) adminUserGlobalSignOut(in adminInput) (empty, *awsapi.Error) {
	return s.change(in, func(p *pool, u *user) *awsapi.Error {
		p.signOut(u.Sub, s.deps.Now())
		return nil
	})
}

func (s *Service) adminDeleteUser(in adminInput) (empty, *awsapi.Error) {
	return empty{}, s.editUser(in, func(p *pool, u *user) *awsapi.Error {
		p.remove(u)
		return nil
	})
}

func (s *Service) adminDisableUser(in adminInput) (empty, *awsapi.Error) {
	return s.change(in, func(_ *pool, u *user) *awsapi.Error { u.Disabled = true; return nil })
}

func (s *Service) adminEnableUser(in adminInput) (empty, *awsapi.Error) {
	return s.change(in, func(_ *pool, u *user) *awsapi.Error { u.Disabled = false; return nil })
}

// CreateUser makes a confirmed user with a permanent password and a verified
// e-mail, as an administrator would in three calls, and returns its sub. If the
// user exists already, only its password and groups are set.
func (s *Service) CreateUser(poolID, email, password string, groups ...string) (sub string, err error) {
	in := adminInput{UserPoolID: poolID, Username: email, Password: password, Permanent: true}
	verified := []attribute{{"email", email}, {"email_verified", "true"}}
	_, refused := s.adminCreateUser(adminCreateUserInput{UserPoolID: poolID, Username: email, TemporaryPassword: password, UserAttributes: verified, MessageAction: "SUPPRESS"})
	if refused != nil && refused.Code != "UsernameExistsException" {
		return "", refused
	}
	_, refused = s.adminSetUserPassword(in)
	failed := asError(refused)
	for _, group := range groups {
		in.GroupName = group
		_, refused := s.adminAddUserToGroup(in)
		failed = errors.Join(failed, asError(refused))
	}
	if failed != nil {
		return "", failed
	}
	refused = s.editUser(in, func(_ *pool, u *user) *awsapi.Error { sub = u.Sub; return nil })
	return sub, asError(refused)
}
