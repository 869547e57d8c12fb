package cognito

import (
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// identityPool is an identity pool with the identities it has given.
type identityPool struct {
	IdentityPool
	ids map[string]string // issuer and sub -> identity id
}

// credentialsLife is how long credentials of an identity pool last.
const credentialsLife = time.Hour

// PutIdentityPool creates or updates an identity pool and returns it with its id.
func (s *Service) PutIdentityPool(i IdentityPool) (IdentityPool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.ID == "" {
		i.ID = awsapi.Region + ":" + awsapi.NewRequestID()
	}
	if existing := s.identities[i.ID]; existing != nil {
		existing.IdentityPool = i
		return i, nil
	}
	s.identities[i.ID] = &identityPool{IdentityPool: i, ids: map[string]string{}}
	return i, nil
}

// SetIdentityPoolRole attaches the role of authenticated identities.
func (s *Service) SetIdentityPoolRole(id, authenticatedRoleARN string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.identities[id]
	if i == nil {
		return fail("ResourceNotFoundException", "IdentityPool '%s' not found.", id)
	}
	i.AuthenticatedRoleARN = authenticatedRoleARN
	return nil
}

// DeleteIdentityPool removes an identity pool.
func (s *Service) DeleteIdentityPool(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.identities, id)
}

type identityInput struct {
	IdentityPoolID string `json:"IdentityPoolId"` // of GetId
	IdentityID     string `json:"IdentityId"`     // of GetCredentialsForIdentity
	Logins         map[string]string
}

type identityOutput struct {
	IdentityID string `json:"IdentityId"`
}

func (s *Service) getID(in identityInput) (*identityOutput, *awsapi.Error) {
	s.mu.Lock()
	i := s.identities[in.IdentityPoolID]
	s.mu.Unlock()
	if i == nil {
		return nil, fail("ResourceNotFoundException", "IdentityPool '%s' not found.", in.IdentityPoolID)
	}
	login, err := s.login(i, in.Logins)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.ids[login] == "" {
		i.ids[login] = awsapi.Region + ":" + awsapi.NewRequestID()
	}
	return &identityOutput{i.ids[login]}, nil
}

// login verifies the one login and returns whose it is.
func (s *Service) login(i *identityPool, logins map[string]string) (string, *awsapi.Error) {
	if len(logins) != 1 {
		return "", fail("NotAuthorizedException", "Unauthenticated access is not supported for this identity pool.")
	}
	for name, token := range logins {
		claims, err := s.VerifyIDToken(UserPoolARN(name[strings.LastIndex(name, "/")+1:]), token)
		switch {
		case isExpired(err):
			return "", fail("NotAuthorizedException", "Invalid login token. Token expired")
		case err != nil:
			return "", fail("NotAuthorizedException", "Invalid login token.")
		case !s.accepts(i, name, claims["aud"]):
			return "", fail("NotAuthorizedException", "Token is not from a supported provider of this identity pool.")
		}
		sub, _ := claims["sub"].(string)
		return name + "|" + sub, nil
	}
	return "", internalError
}

func (s *Service) accepts(i *identityPool, provider string, audience any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range i.Providers {
		if p.ProviderName == provider && p.ClientID == audience {
			return true
		}
	}
	return false
}

type credentials struct {
	AccessKeyID  string  `json:"AccessKeyId"`
	SecretKey    string  //
	SessionToken string  //
	Expiration   float64 // epoch seconds
}

type credentialsOutput struct {
	Credentials credentials
	IdentityID  string `json:"IdentityId"`
}

func (s *Service) getCredentialsForIdentity(in identityInput) (*credentialsOutput, *awsapi.Error) {
	i := s.poolOfIdentity(in.IdentityID)
	if i == nil {
		return nil, fail("ResourceNotFoundException", "Identity '%s' not found.", in.IdentityID)
	}
	login, err := s.login(i, in.Logins)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	owner, role := i.ids[login], i.AuthenticatedRoleARN
	s.mu.Unlock()
	switch {
	case owner != in.IdentityID:
		return nil, fail("NotAuthorizedException", "Logins don't match. Please include at least one valid login for this identity or identity pool.")
	case role == "" || s.deps.Credentials == nil:
		return nil, fail("InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
	}
	key, secret, token := s.deps.Credentials(role)
	return &credentialsOutput{credentials{key, secret, token, epoch(s.deps.Now().Add(credentialsLife))}, in.IdentityID}, nil
}

func (s *Service) poolOfIdentity(id string) *identityPool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.identities {
		for _, known := range i.ids {
			if known == id {
				return i
			}
		}
	}
	return nil
}
