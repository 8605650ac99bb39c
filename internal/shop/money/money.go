// Package money is exact: an Amount is a whole number of cents, in JSON a
// decimal number. No float64 is involved anywhere.
package money

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Amount is an amount of money in cents (1/100 of the currency's unit).
type Amount int64

// Errors of Parse. Their texts are fit for a client.
var (
	ErrSyntax    = errors.New("must be a decimal number")
	ErrPrecision = errors.New("must have at most two decimals")
	ErrRange     = errors.New("is too large")
)

// maxPlaces is more digits than any amount has.
const maxPlaces = 20

// Parse reads a JSON number exactly: 109.08, 109.080 and 1.0908e2 are the same
// amount. Anything finer than a cent is refused, not rounded.
func Parse(s string) (Amount, error) {
	mantissa, exponent, err := splitExponent(s)
	if err != nil {
		return 0, err
	}
	negative := strings.HasPrefix(mantissa, "-")
	whole, fraction, hasPoint := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	if whole == "" || hasPoint && fraction == "" {
		return 0, ErrSyntax
	}
	digits := whole + fraction
	if strings.Trim(digits, "0123456789") != "" {
		return 0, ErrSyntax
	}
	cents, err := shift(digits, exponent-len(fraction)+2)
	if err != nil {
		return 0, err
	}
	if negative {
		cents = -cents
	}
	return Amount(cents), nil
}

func splitExponent(s string) (mantissa string, exponent int, err error) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, nil
	}
	exponent, err = strconv.Atoi(s[i+1:])
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return "", 0, ErrSyntax
	}
	// With more, any number of so many digits is zero, too large or too fine. This bounds
	// the work for 1e999999999.
	most := len(s) + maxPlaces
	return s[:i], min(max(exponent, -most), most), nil
}

// shift returns digits × 10^places as an integer.
func shift(digits string, places int) (int64, error) {
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, nil
	}
	if places < 0 {
		kept := strings.TrimRight(digits, "0")
		if len(digits)-len(kept) < -places {
			return 0, ErrPrecision
		}
		digits = digits[:len(digits)+places]
	} else {
		digits += strings.Repeat("0", places)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, ErrRange
	}
	return n, nil
}

// FromUnits converts the form of the catalogue: whole units and billionths.
func FromUnits(units int64, nanos int32) (Amount, error) {
	const perCent = 10_000_000
	if nanos < 0 || nanos >= 100*perCent || nanos%perCent != 0 {
		return 0, fmt.Errorf("%d nanos: %w", nanos, ErrPrecision)
	}
	if units < 0 || units > math.MaxInt64/100-1 {
		return 0, fmt.Errorf("%d units: %w", units, ErrRange)
	}
	return Amount(units*100 + int64(nanos/perCent)), nil
}

// Add returns a + b, or ErrRange.
func (a Amount) Add(b Amount) (Amount, error) {
	sum := a + b
	if (sum > a) != (b > 0) && b != 0 {
		return 0, ErrRange
	}
	return sum, nil
}

// String returns the decimal form with two decimals: 109.08, 18.50.
func (a Amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// MarshalJSON writes the shortest decimal number: 109.08, 18.5, 20.
func (a Amount) MarshalJSON() ([]byte, error) {
	return []byte(strings.TrimSuffix(strings.TrimRight(a.String(), "0"), ".")), nil
}

// UnmarshalJSON reads a JSON number as Parse does.
func (a *Amount) UnmarshalJSON(b []byte) (err error) {
	*a, err = Parse(string(b))
	return err
}

// Schema describes an Amount for OpenAPI.
func (Amount) Schema(huma.Registry) *huma.Schema { return schema() }

func schema() *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Examples: []any{109.08},
		Description: "Money in USD: a decimal number with at most two decimals."}
}
