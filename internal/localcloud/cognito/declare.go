package cognito

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// pool is a user pool with what it holds.
type pool struct {
	UserPool
	keys    *keyPair
	clients map[string]Client
	groups  map[string]Group
	users   map[string]*user  // by sub
	names   map[string]string // user name or e-mail -> sub
	refresh map[string]refreshSession
	revoked map[string]time.Time // origin_jti -> when it may be forgotten

	lockouts map[string]lockout // by sub, or by name for nobody
}

func fail(code, format string, args ...any) *awsapi.Error {
	return &awsapi.Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *awsapi.Error {
	return fail("InvalidParameterException", format, args...)
}

// asError avoids an error that holds a nil pointer.
func asError(err *awsapi.Error) error {
	if err == nil {
		return nil
	}
	return err
}

// PutUserPool creates or updates a pool and returns it with its id. A new pool
// takes over what Restore has brought for its id.
func (s *Service) PutUserPool(p UserPool) (UserPool, error) {
	if p.PasswordPolicy == (PasswordPolicy{}) {
		p.PasswordPolicy = DefaultPasswordPolicy
	}
	if p.TemporaryPasswordValidity == 0 {
		p.TemporaryPasswordValidity = defaultTemporaryPasswordValidity
	}
	if err := p.check(); err != nil {
		return p, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.ID == "" {
		p.ID = awsapi.Region + "_" + randomText(9)
	}
	if existing := s.pools[p.ID]; existing != nil {
		existing.UserPool = p
		return p, nil
	}
	created := &pool{
		UserPool: p, clients: map[string]Client{}, groups: map[string]Group{}, users: map[string]*user{},
		names: map[string]string{}, refresh: map[string]refreshSession{}, revoked: map[string]time.Time{}, lockouts: map[string]lockout{},
	}
	if err := created.restore(s.saved[p.ID]); err != nil {
		return p, fmt.Errorf("restoring user pool %s: %w", p.ID, err)
	}
	delete(s.saved, p.ID)
	s.pools[p.ID] = created
	return p, nil
}

func (p UserPool) check() error {
	if n := p.PasswordPolicy.MinimumLength; n < 6 || n > 99 {
		return invalid("Password minimum length must be between 6 and 99, got %d", n)
	}
	for _, attribute := range slices.Concat(p.UsernameAttributes, p.AutoVerifiedAttributes) {
		if attribute != "email" {
			return invalid("the local cloud does not serve user pools with attribute %q for sign-in or verification", attribute)
		}
	}
	if !slices.Contains([]string{"", mfaOff, mfaOptional, mfaOn}, p.MFA) {
		return invalid("Invalid MfaConfiguration value %q", p.MFA)
	}
	if p.servesMFA() && !p.SoftwareTokenMFA {
		return invalid("MFA is %s, but no factor is configured; the local cloud serves software tokens", p.MFA)
	}
	return nil
}

// DeleteUserPool removes a pool with its users.
func (s *Service) DeleteUserPool(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pools, id)
	maps.DeleteFunc(s.clients, func(_ string, p *pool) bool { return p.ID == id })
}

// edit runs f on a pool under the lock.
func (s *Service) edit(poolID string, f func(*pool) *awsapi.Error) *awsapi.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pools[poolID]
	if p == nil {
		return fail("ResourceNotFoundException", "User pool %s does not exist.", poolID)
	}
	return f(p)
}

// PutClient creates or updates an app client and returns it with its id, its
// secret and its defaults.
func (s *Service) PutClient(c Client) (Client, error) {
	if err := c.fill(); err != nil {
		return c, err
	}
	err := s.edit(c.UserPoolID, func(p *pool) *awsapi.Error {
		if c.ID == "" {
			c.ID = randomText(26)
		}
		if c.GenerateSecret && c.Secret == "" {
			c.Secret = p.clients[c.ID].Secret
		}
		if c.GenerateSecret && c.Secret == "" {
			c.Secret = randomText(51)
		}
		p.clients[c.ID] = c
		s.clients[c.ID] = p
		return nil
	})
	return c, asError(err)
}

// Validities of tokens that a client does not set (Cognito API reference).
const (
	defaultTokenValidity   = time.Hour
	defaultRefreshValidity = 30 * 24 * time.Hour
	defaultSessionValidity = 3 * time.Minute
)

// authFlows are the values of ExplicitAuthFlows that exist; the legacy ones
// cannot be mixed with them and are not served.
var authFlows = []string{"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"}

// fill sets the defaults of a client and checks it.
func (c *Client) fill() error {
	if len(c.ExplicitAuthFlows) == 0 {
		c.ExplicitAuthFlows = []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"}
	}
	for _, flow := range c.ExplicitAuthFlows {
		if !slices.Contains(authFlows, flow) {
			return invalid("Invalid ExplicitAuthFlows value %q", flow)
		}
	}
	switch c.PreventUserExistenceErrors {
	case "":
		c.PreventUserExistenceErrors = "LEGACY"
	case "LEGACY", "ENABLED":
	default:
		return invalid("Invalid PreventUserExistenceErrors value %q", c.PreventUserExistenceErrors)
	}
	for _, v := range []struct {
		name              string
		value             *time.Duration
		standard          time.Duration
		shortest, longest time.Duration
	}{
		{"AccessTokenValidity", &c.AccessTokenValidity, defaultTokenValidity, 5 * time.Minute, 24 * time.Hour},
		{"IdTokenValidity", &c.IDTokenValidity, defaultTokenValidity, 5 * time.Minute, 24 * time.Hour},
		{"RefreshTokenValidity", &c.RefreshTokenValidity, defaultRefreshValidity, time.Hour, 3650 * 24 * time.Hour},
		{"AuthSessionValidity", &c.AuthSessionValidity, defaultSessionValidity, 3 * time.Minute, 15 * time.Minute},
	} {
		if *v.value == 0 {
			*v.value = v.standard
		}
		if *v.value < v.shortest || *v.value > v.longest {
			return invalid("Invalid range for %s: %s is not between %s and %s", v.name, *v.value, v.shortest, v.longest)
		}
	}
	return nil
}

// DeleteClient removes an app client.
func (s *Service) DeleteClient(poolID, id string) error {
	return asError(s.edit(poolID, func(p *pool) *awsapi.Error {
		delete(p.clients, id)
		delete(s.clients, id)
		return nil
	}))
}

// PutGroup creates or updates a group.
func (s *Service) PutGroup(g Group) error {
	return asError(s.edit(g.UserPoolID, func(p *pool) *awsapi.Error {
		if g.Name == "" || len(g.Name) > 128 || strings.ContainsAny(g.Name, " \t\r\n") {
			return invalid("Invalid group name %q", g.Name)
		}
		p.groups[g.Name] = g
		return nil
	}))
}

// DeleteGroup removes a group and its users' membership.
func (s *Service) DeleteGroup(poolID, name string) error {
	return asError(s.edit(poolID, func(p *pool) *awsapi.Error {
		delete(p.groups, name)
		for _, u := range p.users {
			u.Groups = slices.DeleteFunc(slices.Clone(u.Groups), func(group string) bool { return group == name })
		}
		return nil
	}))
}

// randomText returns random lower-case letters and digits.
func randomText(length int) string {
	b := make([]byte, length)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))[:length]
}
