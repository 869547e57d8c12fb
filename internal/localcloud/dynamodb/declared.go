package dynamodb

import (
	"maps"
	"slices"
)

// Declared returns the names of the tables, sorted.
func (s *Service) Declared() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.tables))
}
