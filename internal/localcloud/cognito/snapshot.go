package cognito

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// poolState is what outlives a restart: who the users are and what proves it.
// What the program declares is not in it.
type poolState struct {
	Keys    []savedKey                `json:"keys"`
	Users   []*user                   `json:"users"`
	Names   map[string]string         `json:"names"`
	Refresh map[string]refreshSession `json:"refresh"`
	Revoked map[string]time.Time      `json:"revoked"`

	Lockouts map[string]lockout `json:"lockouts,omitempty"`
}

type snapshot struct {
	Pools map[string]poolState `json:"pools"`
}

// Snapshot returns users, keys and sign-ins of all pools as JSON, for Restore.
// It holds password hashes and private keys: keep it as such.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := snapshot{Pools: maps.Clone(s.saved)}
	for id, p := range s.pools {
		keys, err := p.keys.save()
		if err != nil {
			return nil, fmt.Errorf("saving user pool %s: %w", id, err)
		}
		out.Pools[id] = poolState{keys, slices.Collect(maps.Values(p.users)), p.names, p.refresh, p.revoked, p.lockouts}
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encoding user pools: %w", err)
	}
	return data, nil
}

// Restore takes a Snapshot. Each pool takes its part over when it is put.
func (s *Service) Restore(data []byte) error {
	var in snapshot
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("decoding user pools: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.saved, in.Pools)
	return nil
}

// restore fills a new pool.
func (p *pool) restore(state poolState) error {
	if len(state.Keys) == 0 {
		p.keys = newKeyPair()
		return nil
	}
	keys, err := restoreKeys(state.Keys)
	if err != nil {
		return err
	}
	p.keys = keys
	for _, u := range state.Users {
		p.users[u.Sub] = u
	}
	maps.Copy(p.names, state.Names)
	maps.Copy(p.refresh, state.Refresh)
	maps.Copy(p.revoked, state.Revoked)
	maps.Copy(p.lockouts, state.Lockouts)
	return nil
}
