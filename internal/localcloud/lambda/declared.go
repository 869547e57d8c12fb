package lambda

import (
	"maps"
	"slices"
)

// Declared returns the names of the functions, the ids of the event source
// mappings and the names of the rules, each sorted.
func (s *Service) Declared() []string {
	return slices.Concat(slices.Sorted(slices.Values(s.Functions())), s.Mappings.declared(), s.Rules.declared())
}

func (ms *Mappings) declared() []string {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	return slices.Sorted(maps.Keys(ms.mappings))
}

func (rs *Rules) declared() []string {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return slices.Sorted(maps.Keys(rs.rules))
}
