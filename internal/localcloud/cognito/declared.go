package cognito

import (
	"maps"
	"slices"
)

// Declared returns the ids of the user pools and then of the identity pools,
// both sorted.
func (s *Service) Declared() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Sorted(maps.Keys(s.pools)), slices.Sorted(maps.Keys(s.identities))...)
}
