package protocol

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// USD is an amount of money in nano-dollars, so that sums of it are exact. On
// the wire it is a JSON number of dollars with at most nine decimals.
type USD int64

// Dollar is one dollar.
const Dollar USD = 1_000_000_000

// Currency is the currency of every amount.
const Currency = "USD"

// usdDecimals is how many decimals of a dollar there are.
const usdDecimals = 9

// errAmount is the error of a text that is no amount.
var errAmount = errors.New("must be an amount of dollars such as 12.50, with at most nine decimals")

// ParseUSD reads an amount of dollars exactly: digits, perhaps a sign, and
// perhaps a point with one to nine decimals. It fails on anything else and on
// what does not fit into an int64 of nano-dollars.
func ParseUSD(text string) (USD, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	if whole == "" || pointed == (fraction == "") || len(fraction) > usdDecimals || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, errAmount
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", usdDecimals-len(fraction)), 10, 64)
	if err != nil {
		return 0, errAmount
	}
	if negative {
		n = -n
	}
	return USD(n), nil
}

// USDOf returns the amount that a number of dollars was written as: the
// shortest decimal that is this number. It fails as ParseUSD does.
func USDOf(dollars float64) (USD, error) {
	if math.IsNaN(dollars) || math.IsInf(dollars, 0) {
		return 0, errAmount
	}
	return ParseUSD(strconv.FormatFloat(dollars, 'f', -1, 64))
}

// String returns the amount in dollars without needless zeros, such as 0.0012.
func (a USD) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -n
	}
	whole, fraction := n/uint64(Dollar), n%uint64(Dollar)
	if fraction == 0 {
		return sign + strconv.FormatUint(whole, 10)
	}
	return strings.TrimRight(fmt.Sprintf("%s%d.%09d", sign, whole, fraction), "0")
}

// Dollars returns the amount as a number of dollars, to be shown and never to
// be counted with.
func (a USD) Dollars() float64 { return float64(a) / float64(Dollar) }

// MarshalJSON implements json.Marshaler.
func (a USD) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON implements json.Unmarshaler. It also reads numbers with an
// exponent, as other languages write small ones.
func (a *USD) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		return nil
	}
	var err error
	if strings.ContainsAny(text, "eE") {
		var dollars float64
		if dollars, err = strconv.ParseFloat(text, 64); err == nil {
			*a, err = USDOf(dollars)
		}
	} else {
		*a, err = ParseUSD(text)
	}
	if err != nil {
		return fmt.Errorf("reading amount %s: %w", text, err)
	}
	return nil
}
