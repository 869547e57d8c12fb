package iam

import "crypto/rand"

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

// Key returns what the owner of an access key signs with, for who verifies
// signatures; false for a key that was not issued here.
func (s *Service) Key(accessKeyID string) (secret, token string, issued bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name, issued := s.keys[accessKeyID]
	if !issued {
		return "", "", false
	}
	access := s.roles[name].access
	return access.secret, access.token, true
}
