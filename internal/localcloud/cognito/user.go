package cognito

import (
	"cmp"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// States of a user.
const (
	statusUnconfirmed   = "UNCONFIRMED"
	statusConfirmed     = "CONFIRMED"
	statusForcePassword = "FORCE_CHANGE_PASSWORD"
)

// Life of the codes that are mailed, and the tries at one (Cognito quotas).
const (
	signUpCodeLife = 24 * time.Hour
	resetCodeLife  = time.Hour
	maxCodeTries   = 15
)

// user is an account of a pool. Values handed out under the lock are copies;
// their maps and slices are replaced, never changed.
type user struct {
	Sub        string            `json:"sub"`
	Username   string            `json:"username"` // the sub in a pool with e-mail sign-in
	Attributes map[string]string `json:"attributes"`
	Status     string            `json:"status"`
	Disabled   bool              `json:"disabled,omitempty"`
	Password   password          `json:"password"`
	PasswordAt time.Time         `json:"passwordAt"`
	Groups     []string          `json:"groups,omitempty"`
	Created    time.Time         `json:"created"`
	Modified   time.Time         `json:"modified"`
	SignUpCode *mailedCode       `json:"signUpCode,omitempty"`
	ResetCode  *mailedCode       `json:"resetCode,omitempty"`

	Associated    *authenticator `json:"associated,omitempty"`    // not verified yet
	Authenticator *authenticator `json:"authenticator,omitempty"` // verified
	MFA           bool           `json:"mfa,omitempty"`           // codes of it are asked for, if the pool serves MFA
}

// mailedCode is a code that proves that somebody reads the mail.
type mailedCode struct {
	Value   string    `json:"value"`
	Expires time.Time `json:"expires"`
	Tries   int       `json:"tries"`
}

// check compares a code in constant terms of AWS's errors and counts the try.
func (c *mailedCode) check(value string, now time.Time) *awsapi.Error {
	switch {
	case c == nil || now.After(c.Expires):
		return fail("ExpiredCodeException", "Invalid code provided, please request a code again.")
	case c.Tries >= maxCodeTries:
		return fail("TooManyFailedAttemptsException", "Attempt limit exceeded, please try after some time.")
	case !equal(c.Value, value):
		c.Tries++
		return fail("CodeMismatchException", "Invalid verification code provided, please try again.")
	}
	return nil
}

// normal returns the form of a user name by which it is looked up.
func (p *pool) normal(name string) string {
	if p.CaseSensitive {
		return name
	}
	return strings.ToLower(name)
}

func (p *pool) signsInByEmail() bool { return slices.Contains(p.UsernameAttributes, "email") }

// find returns the user with a name, e-mail or sub.
func (p *pool) find(name string) (*user, bool) {
	if u, ok := p.users[name]; ok {
		return u, true
	}
	u, ok := p.users[p.names[p.normal(name)]]
	return u, ok
}

// add creates a user. name is the e-mail in a pool with e-mail sign-in.
func (p *pool) add(name string, attributes map[string]string, status string, pw password, sub string, now time.Time) (*user, *awsapi.Error) {
	if _, taken := p.names[p.normal(name)]; taken {
		if p.signsInByEmail() {
			return nil, fail("UsernameExistsException", "An account with the given email already exists.")
		}
		return nil, fail("UsernameExistsException", "User already exists")
	}
	attributes = maps.Clone(attributes)
	attributes["sub"] = sub
	u := &user{Sub: sub, Username: name, Attributes: attributes, Status: status, Password: pw, PasswordAt: now, Created: now, Modified: now}
	if p.signsInByEmail() {
		u.Username = sub
	}
	p.users[sub] = u
	p.names[p.normal(name)] = sub
	return u, nil
}

func (p *pool) remove(u *user) {
	delete(p.users, u.Sub)
	maps.DeleteFunc(p.names, func(_, sub string) bool { return sub == u.Sub })
	maps.DeleteFunc(p.refresh, func(_ string, r refreshSession) bool { return r.Sub == u.Sub })
	delete(p.lockouts, u.Sub)
}

// standardAttributes are those of OpenID Connect that every pool has.
var standardAttributes = []string{
	"address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale", "middle_name", "name",
	"nickname", "phone_number", "phone_number_verified", "picture", "preferred_username", "profile", "updated_at", "website", "zoneinfo",
}

// attribute is a member of UserAttributes.
type attribute struct {
	Name  string
	Value string
}

// newAttributes checks the attributes of a new user against the pool.
func (p *pool) newAttributes(name string, given []attribute, admin bool) (map[string]string, *awsapi.Error) {
	if name == "" || len(name) > 128 {
		return nil, invalid("1 validation error detected: Value at 'username' failed to satisfy constraint: Member must have length between 1 and 128")
	}
	out := map[string]string{}
	for _, a := range given {
		if !slices.Contains(standardAttributes, a.Name) {
			return nil, invalid("Attributes did not conform to the schema: %s: Attribute does not exist in schema.", a.Name)
		}
		if strings.HasSuffix(a.Name, "_verified") && !admin {
			return nil, fail("NotAuthorizedException", "A client attempted to write unauthorized attribute")
		}
		out[a.Name] = a.Value
	}
	if p.signsInByEmail() {
		if !isEmail(name) {
			return nil, invalid("Username should be an email.")
		}
		out["email"] = name
	}
	if address, ok := out["email"]; ok && !isEmail(address) {
		return nil, invalid("Invalid email address format.")
	}
	if out["email"] != "" && out["email_verified"] == "" {
		out["email_verified"] = "false"
	}
	return out, nil
}

func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

// list returns attributes as AWS lists them, sub first.
func list(attributes map[string]string) []attribute {
	out := []attribute{{"sub", attributes["sub"]}}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if name != "sub" {
			out = append(out, attribute{name, attributes[name]})
		}
	}
	return out
}

// groupsOf returns a user's groups, strongest first.
func (p *pool) groupsOf(u *user) []Group {
	groups := make([]Group, 0, len(u.Groups))
	for _, name := range u.Groups {
		if g, ok := p.groups[name]; ok {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(precedence(a), precedence(b)), strings.Compare(a.Name, b.Name))
	})
	return groups
}

func precedence(g Group) int {
	if g.Precedence == nil {
		return int(^uint(0) >> 1)
	}
	return *g.Precedence
}

// delivery tells where a code went without giving the address away.
type delivery struct {
	AttributeName  string
	DeliveryMedium string
	Destination    string
}

func deliveryTo(address string) *delivery {
	local, domain, _ := strings.Cut(address, "@")
	return &delivery{"email", "EMAIL", fmt.Sprintf("%.1s***@%.1s***", local, domain)}
}
