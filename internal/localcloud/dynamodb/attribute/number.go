package attribute

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// DynamoDB's limits of numbers.
const (
	maxDigits   = 38
	maxExponent = 125  // of the first digit
	minExponent = -130 // of the first digit
)

// decimal is coefficient · 10^exponent, without trailing zeros.
type decimal struct {
	coefficient *big.Int
	exponent    int
}

// canonical validates a number and returns it without exponent, leading or
// trailing zeros, as DynamoDB answers it.
func canonical(text string) (string, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return strconv.FormatInt(n, 10), nil
	}
	d, err := parseDecimal(text)
	if err != nil {
		return "", err
	}
	return d.checked()
}

func parseDecimal(text string) (decimal, error) {
	notNumeric := &Invalid{"The parameter cannot be converted to a numeric value: " + text}
	mantissa, exponentText := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponentText = text[:i], text[i+1:]
		if exponentText == "" {
			return decimal{}, notNumeric
		}
	}
	exponent := 0
	if exponentText != "" {
		var err error
		if exponent, err = strconv.Atoi(exponentText); err != nil || exponent > 1000 || exponent < -1000 {
			return decimal{}, notNumeric
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole, "+-") + fraction
	if digits == "" || len(digits) > 400 || strings.Trim(digits, "0123456789") != "" || len(whole)-len(strings.TrimLeft(whole, "+-")) > 1 {
		return decimal{}, notNumeric
	}
	coefficient, _ := new(big.Int).SetString(digits, 10)
	if strings.HasPrefix(whole, "-") {
		coefficient.Neg(coefficient)
	}
	return decimal{coefficient, exponent - len(fraction)}.trimmed(), nil
}

var ten = big.NewInt(10)

func (d decimal) trimmed() decimal {
	if d.coefficient.Sign() == 0 {
		return decimal{d.coefficient, 0}
	}
	for {
		quotient, rest := new(big.Int).QuoRem(d.coefficient, ten, new(big.Int))
		if rest.Sign() != 0 {
			return d
		}
		d = decimal{quotient, d.exponent + 1}
	}
}

// checked writes the number, or tells which limit of DynamoDB it breaks.
func (d decimal) checked() (string, error) {
	digits := new(big.Int).Abs(d.coefficient).String()
	first := d.exponent + len(digits) - 1
	switch {
	case d.coefficient.Sign() == 0:
		return "0", nil
	case len(digits) > maxDigits:
		return "", &Invalid{fmt.Sprintf("Attempting to store more than %d significant digits in a Number", maxDigits)}
	case first > maxExponent:
		return "", &Invalid{"Number overflow. Attempting to store a number with magnitude larger than supported range"}
	case first < minExponent:
		return "", &Invalid{"Number underflow. Attempting to store a number with magnitude smaller than supported range"}
	}
	return d.text(digits), nil
}

func (d decimal) text(digits string) string {
	sign := ""
	if d.coefficient.Sign() < 0 {
		sign = "-"
	}
	switch point := len(digits) + d.exponent; {
	case d.exponent >= 0:
		return sign + digits + strings.Repeat("0", d.exponent)
	case point > 0:
		return sign + digits[:point] + "." + digits[point:]
	default:
		return sign + "0." + strings.Repeat("0", -point) + digits
	}
}

// Add returns a + b, or a - b if subtract, of two numbers.
func Add(a, b Value, subtract bool) (Value, error) {
	if sum, ok := addSmall(a.Text, b.Text, subtract); ok {
		return Value{Kind: Number, Text: sum}, nil
	}
	x, errX := parseDecimal(a.Text)
	y, errY := parseDecimal(b.Text)
	if errX != nil || errY != nil {
		return Value{}, &Invalid{"The parameter cannot be converted to a numeric value"}
	}
	x, y = aligned(x, y)
	sum := new(big.Int)
	if subtract {
		sum.Sub(x.coefficient, y.coefficient)
	} else {
		sum.Add(x.coefficient, y.coefficient)
	}
	text, err := decimal{sum, x.exponent}.trimmed().checked()
	return Value{Kind: Number, Text: text}, err
}

// addSmall adds integers that cannot overflow an int64.
func addSmall(a, b string, subtract bool) (string, bool) {
	const safe = 18 // digits
	if len(a) > safe || len(b) > safe {
		return "", false
	}
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX != nil || errY != nil {
		return "", false
	}
	if subtract {
		y = -y
	}
	return strconv.FormatInt(x+y, 10), true
}

func aligned(x, y decimal) (decimal, decimal) {
	least := min(x.exponent, y.exponent)
	return x.at(least), y.at(least)
}

func (d decimal) at(exponent int) decimal {
	if d.exponent == exponent {
		return d
	}
	factor := new(big.Int).Exp(ten, big.NewInt(int64(d.exponent-exponent)), nil)
	return decimal{new(big.Int).Mul(d.coefficient, factor), exponent}
}

func compareNumbers(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	dx, _ := parseDecimal(a) // values are canonical
	dy, _ := parseDecimal(b)
	dx, dy = aligned(dx, dy)
	return dx.coefficient.Cmp(dy.coefficient)
}
