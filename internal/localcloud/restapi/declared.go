package restapi

import (
	"maps"
	"slices"
)

// Declared returns the ids of the APIs, sorted.
func (s *Service) Declared() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.apis))
}
