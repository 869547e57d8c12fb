package life

import (
	"math"
	"math/bits"

	"github.com/streaming-service/streaming-service/protocol"
)

// Price is what a model costs by the kind of token, in dollars per million of
// them.
type Price struct {
	Input      protocol.USD // of input that no cache is involved in
	Output     protocol.USD
	CacheRead  protocol.USD // of input that the model reads from its cache
	CacheWrite protocol.USD // of input that the model writes there
}

// perTokens is how many tokens a price is for.
const perTokens = 1_000_000

// Cost is what a usage costs, rounded up once to a whole nano-dollar.
func (p Price) Cost(u protocol.TokenUsage) protocol.USD {
	return p.sum(KindsOf(u))
}

// Reserve is the most that so much input and output cost, whatever part of the
// input goes through the cache.
func (p Price) Reserve(input, output int64) protocol.USD {
	p.Input = max(p.Input, p.CacheRead, p.CacheWrite)
	return p.sum(Kinds{Input: input, Output: output})
}

// PricedAt returns the record as it is admitted at a price.
func (r Record) PricedAt(p Price) Record {
	r.Price, r.CostEstimate = &p, p.Reserve(r.InputEstimate(), int64(r.Model.MaxTokens))
	return r
}

// CostByKind splits what a usage costs by the kind of token. Each part is
// rounded by itself, so that they may add up to a few nano-dollars more than the
// cost.
func (p Price) CostByKind(u protocol.TokenUsage) Price {
	k := KindsOf(u)
	return Price{
		Input:      p.sum(Kinds{Input: k.Input}),
		Output:     p.sum(Kinds{Output: k.Output}),
		CacheRead:  p.sum(Kinds{CacheRead: k.CacheRead}),
		CacheWrite: p.sum(Kinds{CacheWrite: k.CacheWrite}),
	}
}

// Kinds are tokens by the kinds that have prices. None is counted twice.
type Kinds struct{ Input, Output, CacheRead, CacheWrite int64 }

// KindsOf splits a usage, whose input holds what went through the cache. What a
// model reports of its cache beyond its input is input all the same.
func KindsOf(u protocol.TokenUsage) Kinds {
	k := Kinds{Output: max(0, u.OutputTokens), CacheRead: max(0, u.CacheReadTokens), CacheWrite: max(0, u.CacheWriteTokens)}
	k.Input = max(0, u.InputTokens-k.CacheRead-k.CacheWrite)
	return k
}

// sum multiplies in 128 bits, so that nothing is lost before the one rounding.
func (p Price) sum(k Kinds) protocol.USD {
	var hi, lo uint64
	for _, term := range [...]struct {
		tokens int64
		price  protocol.USD
	}{{k.Input, p.Input}, {k.Output, p.Output}, {k.CacheRead, p.CacheRead}, {k.CacheWrite, p.CacheWrite}} {
		high, low := bits.Mul64(uint64(max(0, term.tokens)), uint64(max(0, term.price))) //nolint:gosec // not negative
		var carry uint64
		lo, carry = bits.Add64(lo, low, 0)
		hi += high + carry
	}
	lo, carry := bits.Add64(lo, perTokens-1, 0)
	if hi += carry; hi >= perTokens {
		return math.MaxInt64
	}
	amount, _ := bits.Div64(hi, lo, perTokens)
	return protocol.USD(min(amount, math.MaxInt64)) //nolint:gosec // bounded
}
