package protocol_test

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/protocol"
)

func TestUSD(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]protocol.USD{
		"0": 0, "0.000000001": 1, "0.0035": 3_500_000, "12.50": 12_500_000_000, "9000000.123456": 9_000_000_123_456_000,
		"-1.5": -1_500_000_000, "9223372036.854775807": math.MaxInt64,
	} {
		got, err := protocol.ParseUSD(text)
		if err != nil || got != want {
			t.Errorf("ParseUSD(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", ".", "1.", ".5", "1.0000000001", "1e3", "NaN", "Inf", "+1", " 1", "1,5", "0x1", "1_0", "--1", "9223372036.854775808", "99999999999"} {
		if got, err := protocol.ParseUSD(text); err == nil {
			t.Errorf("ParseUSD(%q) = %d, want an error", text, got)
		}
	}
	for _, dollars := range []float64{math.NaN(), math.Inf(1), 1e-10, 1e12} {
		if got, err := protocol.USDOf(dollars); err == nil {
			t.Errorf("USDOf(%v) = %d, want an error", dollars, got)
		}
	}
	for _, text := range []string{`"1"`, `1e-10`, `{}`, `true`} {
		var amount protocol.USD
		if err := json.Unmarshal([]byte(text), &amount); err == nil {
			t.Errorf("%s is read as %v", text, amount)
		}
	}
	var small protocol.USD
	if err := json.Unmarshal([]byte(`1e-7`), &small); err != nil || small != 100 {
		t.Errorf("1e-7 is read as %d, %v", small, err)
	}
}

// TestUSDIsExact: what is written is read again, and the number that another
// language makes of it names the same amount.
func TestUSDIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := protocol.USD(rapid.Int64Min(-math.MaxInt64).Draw(t, "amount"))
		var again protocol.USD
		if err := json.Unmarshal(protocol.Encode(amount), &again); err != nil || again != amount {
			t.Fatalf("%s is read as %d, %v", protocol.Encode(amount), again, err)
		}
		// A float64 tells 15 digits apart: costs to the nano-dollar, and budgets,
		// which have six decimals.
		for _, amount := range []protocol.USD{amount % (1_000_000 * protocol.Dollar), amount % (9_000_000 * protocol.Dollar) / 1000 * 1000} {
			if again, err := protocol.USDOf(amount.Dollars()); err != nil || again != amount {
				t.Fatalf("%v dollars are %d, %v, want %d", amount.Dollars(), again, err, amount)
			}
		}
	})
}
