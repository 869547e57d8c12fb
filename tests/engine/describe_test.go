package engine_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

var (
	update = flag.Bool("update", false, "rewrite the sections of docs/updates.md that tests make")
	page   sync.Mutex // docs/updates.md
)

// namedResources is up to how many resources are named one by one.
const namedResources = 6

// described tells what a step did to which resources, for the documentation.
func (s step) described() string {
	if s.nothing() {
		return "nothing"
	}
	var parts []string
	for _, part := range []struct {
		verb  string
		names []string
	}{
		{"**creates**", s.creates}, {"updates in place", s.updates}, {"**replaces**", s.replaces}, {"**deletes**", s.deletes},
	} {
		if len(part.names) > 0 {
			parts = append(parts, part.verb+" "+s.listed(part.names))
		}
	}
	return strings.Join(parts, "; ")
}

// listed names resources, or counts them by type when they are many.
func (s step) listed(names []string) string {
	if len(names) <= namedResources {
		short := make([]string, len(names))
		for i, name := range names {
			short[i] = "`" + strings.TrimPrefix(name, "streaming-") + "`"
		}
		return strings.Join(short, ", ")
	}
	counts := map[string]int{}
	for _, name := range names {
		counts[s.types[name][strings.LastIndex(s.types[name], ":")+1:]]++
	}
	var types []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		types = append(types, fmt.Sprintf("%d %s", counts[name], name))
	}
	return fmt.Sprintf("%d resources (%s)", len(names), strings.Join(types, ", "))
}
