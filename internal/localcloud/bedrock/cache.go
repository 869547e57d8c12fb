package bedrock

import (
	"encoding/json"
	"hash/maphash"
	"sync"
)

// leastCached is how many tokens must stand before a cache point for the model to
// keep them (1,024 to 4,096 by model: Bedrock user guide, prompt-caching).
const leastCached = 1_024

// cache remembers the beginnings of requests that a model was told to keep, for
// as many of them as matter.
type cache struct {
	seed maphash.Seed

	mu    sync.Mutex
	known map[uint64]bool
}

// prefix is a beginning of a request, up to a cache point.
type prefix struct {
	key    uint64
	tokens int
}

// use returns how many tokens of a request are read from the cache and how many
// are written there: from its longest beginning that is known to the longest that
// is to be kept.
func (c *cache) use(model string, r *request) (read, written int) {
	prefixes := r.prefixes(c.seed, model)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) > attemptsKept {
		c.known = map[uint64]bool{}
	}
	for _, p := range prefixes {
		if c.known[p.key] {
			read = p.tokens
		}
	}
	for _, p := range prefixes {
		c.known[p.key] = true
		written = p.tokens - read
	}
	return read, max(0, written)
}

// prefixes are the beginnings of the request up to its cache points that are long
// enough. A model reads tools, system and messages in this order.
func (r *request) prefixes(seed maphash.Seed, model string) []prefix {
	var hash maphash.Hash
	hash.SetSeed(seed)
	_, _ = hash.WriteString(model)
	characters, tokens := 0, 0
	var list []prefix
	add := func(part any, c, n int, point bool) {
		if point {
			if total := (characters+3)/4 + tokens; total >= leastCached {
				list = append(list, prefix{hash.Sum64(), total})
			}
			return
		}
		encoded, _ := json.Marshal(part) // what was decoded encodes
		_, _ = hash.Write(append(encoded, 0))
		characters, tokens = characters+c, tokens+n
	}
	if r.ToolConfig != nil {
		for _, t := range r.ToolConfig.Tools {
			add(t, t.characters(), 0, t.CachePoint != nil)
		}
	}
	for _, b := range r.System {
		c, n := b.tokens(r.family)
		add(b, c, n, b.CachePoint != nil)
	}
	for _, m := range r.Messages {
		add(m.Role, 0, 3, false)
		for _, b := range m.Content {
			c, n := b.tokens(r.family)
			add(b, c, n, b.CachePoint != nil)
		}
	}
	return list
}

func (t tool) characters() int {
	if t.Spec == nil {
		return 0
	}
	n := len(t.Spec.Name) + len(t.Spec.InputSchema.JSON)
	if t.Spec.Description != nil {
		n += len(*t.Spec.Description)
	}
	return n
}
