package life_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func usd(t *testing.T, text string) protocol.USD {
	t.Helper()
	amount, err := protocol.ParseUSD(text)
	if err != nil {
		t.Fatal(err)
	}
	return amount
}

// drawPrice draws a price of up to 10 dollars a million, often with fractions of
// a nano-dollar a token.
func drawPrice(t *rapid.T) life.Price {
	draw := func(kind string) protocol.USD {
		return protocol.USD(rapid.Int64Range(0, 10_000_000).Draw(t, kind)) * 1_000
	}
	return life.Price{Input: draw("input"), Output: draw("output"), CacheRead: draw("cache read"), CacheWrite: draw("cache write")}
}

// TestCost holds the worked examples of docs/prices.md.
func TestCost(t *testing.T) {
	t.Parallel()
	nova := life.Price{Input: usd(t, "0.33"), Output: usd(t, "2.75"), CacheRead: usd(t, "0.33"), CacheWrite: usd(t, "0.33")}
	haiku := life.Price{Input: usd(t, "1"), Output: usd(t, "5"), CacheRead: usd(t, "0.1"), CacheWrite: usd(t, "1.25")}
	micro := life.Price{Input: usd(t, "0.035"), Output: usd(t, "0.14"), CacheRead: usd(t, "0.0035"), CacheWrite: usd(t, "0.035")}
	for _, test := range []struct {
		name  string
		price life.Price
		usage protocol.TokenUsage
		want  string
	}{
		{"default model", nova, protocol.TokenUsage{InputTokens: 1_200, OutputTokens: 800}, "0.002596"},
		{"all kinds", haiku, protocol.TokenUsage{InputTokens: 1_200, OutputTokens: 800, CacheReadTokens: 1_000, CacheWriteTokens: 100}, "0.004325"},
		{"a fraction is rounded up", micro, protocol.TokenUsage{InputTokens: 2, CacheReadTokens: 1}, "0.000000039"},
		{"once a request, not once a token", micro, protocol.TokenUsage{InputTokens: 3, CacheReadTokens: 3}, "0.000000011"},
		{"nothing", haiku, protocol.TokenUsage{}, "0"},
		{"numbers that cannot be", haiku, protocol.TokenUsage{InputTokens: -5, OutputTokens: -1, CacheReadTokens: -2}, "0"},
		{"more from the cache than there was", haiku, protocol.TokenUsage{InputTokens: 10, CacheReadTokens: 20}, "0.000002"},
		{"more than there is", haiku, protocol.TokenUsage{OutputTokens: math.MaxInt64}, "9223372036.854775807"},
	} {
		if got := test.price.Cost(test.usage); got != usd(t, test.want) {
			t.Errorf("%s: Cost = %s, want %s", test.name, got, test.want)
		}
	}
	if got := haiku.Reserve(1_000, 4_096); got != usd(t, "0.02173") {
		t.Errorf("Reserve = %s, want 0.02173: the dearest input is what is written to the cache", got)
	}
}

// TestCostIsExact compares the cost with one computed in fractions, and with what
// was reserved for as many tokens.
func TestCostIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		price := drawPrice(t)
		read, write := rapid.Int64Range(0, 1<<31).Draw(t, "read"), rapid.Int64Range(0, 1<<31).Draw(t, "write")
		fresh, output := rapid.Int64Range(0, 1<<31).Draw(t, "fresh"), rapid.Int64Range(0, 1<<31).Draw(t, "output")
		got := price.Cost(protocol.TokenUsage{InputTokens: fresh + read + write, OutputTokens: output, CacheReadTokens: read, CacheWriteTokens: write})

		exact := new(big.Rat)
		for _, term := range [][2]int64{{fresh, int64(price.Input)}, {read, int64(price.CacheRead)}, {write, int64(price.CacheWrite)}, {output, int64(price.Output)}} {
			exact.Add(exact, new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(term[0]), big.NewInt(term[1])), big.NewInt(1_000_000)))
		}
		over := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(got)), exact)
		if over.Sign() < 0 || over.Cmp(big.NewRat(1, 1)) >= 0 {
			t.Fatalf("Cost = %d, exactly %s", got, exact.FloatString(6))
		}
		if reserved := price.Reserve(fresh+read+write, output); got > reserved {
			t.Fatalf("%d cost more than the %d that were reserved", got, reserved)
		}
	})
}
