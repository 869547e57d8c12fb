package iam

import (
	"crypto/rand"
	"fmt"
)

// issuedPrefix marks the access keys of the local cloud's roles. AWS gives
// temporary keys the prefix ASIA.
const issuedPrefix = "ASIALOCAL"

type credentials struct {
	accessKeyID, secret, token string
}

func newCredentials() credentials {
	return credentials{
		accessKeyID: issuedPrefix + rand.Text()[:11],
		secret:      rand.Text() + rand.Text()[:14],
		token:       rand.Text() + rand.Text(),
	}
}

// Credentials returns what a function of the role signs its calls with.
func (s *Service) Credentials(roleARN string) (accessKeyID, secret, token string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.roles[nameOf(roleARN)]
	if !ok {
		return "", "", ""
	}
	return r.access.accessKeyID, r.access.secret, r.access.token
}

// Secret returns the secret key of an issued access key, for who verifies
// signatures.
func (s *Service) Secret(accessKeyID string) (secret string, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name, ok := s.keys[accessKeyID]
	if !ok {
		return "", fmt.Errorf("finding secret of access key %s: not issued here", accessKeyID)
	}
	return s.roles[name].access.secret, nil
}
