// Package iam is the identity and access management of the local cloud: roles
// with a trust policy and inline policies, the credentials that functions get
// for them, and the decision whether a role may perform an action. Policies are
// read as AWS reads them; an action that AWS does not know is refused when the
// policy is declared, for AWS would accept it and then deny the call.
package iam

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Service holds the roles. Its methods may be called concurrently.
type Service struct {
	mu        sync.RWMutex
	roles     map[string]*role    // by name
	keys      map[string]string   // role name by access key
	resources map[string]document // policies by the ARN of their resource
}

type role struct {
	name     string
	trust    document
	inline   map[string]document
	attached map[string]document
	access   credentials
}

// New returns a service without roles.
func New() *Service {
	return &Service{roles: map[string]*role{}, keys: map[string]string{}, resources: map[string]document{}}
}

// RoleARN returns the ARN of the role of that name.
func RoleARN(name string) string {
	return "arn:" + awsapi.Partition + ":iam::" + awsapi.AccountID + ":role/" + name
}

// CreateRole declares a role with its trust policy.
func (s *Service) CreateRole(name, trustPolicy string) (arn string, err error) {
	if name == "" || len(name) > 64 {
		return "", fmt.Errorf("creating role %q: the name must have 1 to 64 characters", name)
	}
	trust, err := parseTrust([]byte(trustPolicy))
	if err != nil {
		return "", fmt.Errorf("creating role %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.roles[name]; exists {
		return "", fmt.Errorf("creating role %s: EntityAlreadyExists", name)
	}
	fresh := &role{name: name, trust: trust, inline: map[string]document{}, attached: map[string]document{}, access: newCredentials()}
	s.roles[name] = fresh
	s.keys[fresh.access.accessKeyID] = name
	return RoleARN(name), nil
}

// UpdateTrustPolicy replaces the trust policy of a role.
func (s *Service) UpdateTrustPolicy(name, trustPolicy string) error {
	trust, err := parseTrust([]byte(trustPolicy))
	if err != nil {
		return fmt.Errorf("updating trust of role %s: %w", name, err)
	}
	return s.change(name, func(r *role) { r.trust = trust })
}

// DeleteRole removes a role; its credentials are invalid from then on.
func (s *Service) DeleteRole(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.roles[name]; ok {
		delete(s.keys, r.access.accessKeyID)
		delete(s.roles, name)
	}
}

// PutRolePolicy declares or replaces an inline policy. The error names what AWS
// would refuse, or accept and never match.
func (s *Service) PutRolePolicy(roleName, policyName, policy string) error {
	parsed, err := parseIdentityPolicy([]byte(policy))
	if err != nil {
		return fmt.Errorf("putting policy %s of role %s: %w", policyName, roleName, err)
	}
	return s.change(roleName, func(r *role) { r.inline[policyName] = parsed })
}

// DeleteRolePolicy removes an inline policy.
func (s *Service) DeleteRolePolicy(roleName, policyName string) error {
	return s.change(roleName, func(r *role) { delete(r.inline, policyName) })
}

// AttachRolePolicy attaches one of the AWS managed policies that the local
// cloud knows.
func (s *Service) AttachRolePolicy(roleName, policyARN string) error {
	text, ok := managedPolicies[policyARN]
	if !ok {
		known := slices.Sorted(maps.Keys(managedPolicies))
		return fmt.Errorf("attaching policy to role %s: the local cloud does not know %s; it knows %s", roleName, policyARN, strings.Join(known, ", "))
	}
	parsed, err := parseIdentityPolicy([]byte(text))
	if err != nil {
		return fmt.Errorf("attaching %s to role %s: %w", policyARN, roleName, err)
	}
	return s.change(roleName, func(r *role) { r.attached[policyARN] = parsed })
}

// DetachRolePolicy detaches a managed policy.
func (s *Service) DetachRolePolicy(roleName, policyARN string) error {
	return s.change(roleName, func(r *role) { delete(r.attached, policyARN) })
}

func (s *Service) change(roleName string, apply func(*role)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.roles[roleName]
	if !ok {
		return fmt.Errorf("changing role %s: NoSuchEntity", roleName)
	}
	apply(r)
	return nil
}

// CanAssume returns nil if the role's trust policy lets an AWS service, such as
// lambda.amazonaws.com, assume it.
func (s *Service) CanAssume(roleARN, servicePrincipal string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.roles[nameOf(roleARN)]
	if !ok {
		return fmt.Errorf("assuming role %s: there is no such role", roleARN)
	}
	if !r.trust.trusts("Service", servicePrincipal, "sts:AssumeRole", nil) {
		return fmt.Errorf("assuming role %s: its trust policy does not allow %s to assume it", roleARN, servicePrincipal)
	}
	return nil
}

// CanAssumeWithWebIdentity returns nil if the role trusts an identity provider,
// such as cognito-identity.amazonaws.com, under the condition keys given.
func (s *Service) CanAssumeWithWebIdentity(roleARN, provider string, keys map[string]string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.roles[nameOf(roleARN)]
	if !ok || !r.trust.trusts("Federated", provider, "sts:AssumeRoleWithWebIdentity", keys) {
		return fmt.Errorf("assuming role %s: Not authorized to perform sts:AssumeRoleWithWebIdentity", roleARN)
	}
	return nil
}

// Principal returns the role whose credentials have that access key.
func (s *Service) Principal(accessKeyID string) (roleARN string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name, ok := s.keys[accessKeyID]
	if !ok {
		return "", false
	}
	return RoleARN(name), true
}

// Allowed decides whether the owner of an access key may do p: nil, or the error
// to answer. A key that the local cloud never issued is the operator's and may
// do everything that the policy of the resource does not deny; one of a deleted
// role is invalid; no key at all may do nothing.
func (s *Service) Allowed(accessKeyID string, p awsapi.Permission) *awsapi.Error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name, issued := s.keys[accessKeyID]
	switch {
	case accessKeyID == "":
		return &awsapi.Error{Status: http.StatusForbidden, Code: "MissingAuthenticationTokenException", Message: "Request is missing Authentication Token"}
	case !issued && strings.HasPrefix(accessKeyID, issuedPrefix):
		return &awsapi.Error{Status: http.StatusForbidden, Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."}
	}
	p = withGlobalKeys(p)
	if !issued {
		return s.operatorMay(p)
	}
	return s.roles[name].decide(p, s.policyAbout(p).effectFor(RoleARN(name), p))
}

func (s *Service) operatorMay(p awsapi.Permission) *awsapi.Error {
	if s.policyAbout(p).effectFor("", p) != effectDeny {
		return nil
	}
	return deniedByResource(p, "arn:"+awsapi.Partition+":iam::"+awsapi.AccountID+":root")
}

// decide evaluates all policies of a role and what the policy of the resource
// says about it: a Deny wins, else an Allow is needed.
func (r *role) decide(p awsapi.Permission, byResource effect) *awsapi.Error {
	if byResource == effectDeny {
		return deniedByResource(p, r.session())
	}
	allowed := byResource == effectAllow
	for _, policies := range []map[string]document{r.inline, r.attached} {
		for _, policy := range policies {
			switch policy.effect(p) {
			case effectDeny:
				return r.denied(p, "with an explicit deny in an identity-based policy")
			case effectAllow:
				allowed = true
			}
		}
	}
	if !allowed {
		return r.denied(p, "because no identity-based policy allows the "+p.Action+" action")
	}
	return nil
}

func (r *role) denied(p awsapi.Permission, why string) *awsapi.Error {
	refusal := awsapi.AccessDenied(r.session(), p.Action, p.Resource)
	refusal.Message += " " + why
	return refusal
}

// session is who acts with the credentials of the role.
func (r *role) session() string {
	return "arn:" + awsapi.Partition + ":sts::" + awsapi.AccountID + ":assumed-role/" + r.name + "/local"
}

func nameOf(roleARN string) string {
	return roleARN[strings.LastIndex(roleARN, "/")+1:]
}
