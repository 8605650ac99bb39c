package money_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"regexp"
	"testing"

	"github.com/koshop/koshop/internal/shop/money"
)

// number is the grammar of https://www.rfc-editor.org/rfc/rfc8259#section-6. The exponent
// is short: the reference computes with all digits of a number.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

// Parse agrees with fractions of whole numbers of any length: it is exact or refuses.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"109.08", "1.0908e2", "-0", "0.1", "109.07999", "1e400", "1e-400", "92233720368547758.07", "-92233720368547758.08", "1000000000000000000000000000000000000000000000e-45",
		"0.00000000000000000000000000000000000000000000001e45", "0.010000000000000000208", "NaN", "1_000", "0x1p3", "1.", "+1", "1e", "--1", "1e+-1", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := money.Parse(s)
		if !number.MatchString(s) {
			if err == nil {
				checkRoundTrip(t, got) // such as 007: more than JSON has, but no other value
			}
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatalf("math/big does not read %q", s)
		}
		cents := exact.Mul(exact, big.NewRat(100, 1))
		switch {
		case !cents.IsInt():
			if !errors.Is(err, money.ErrPrecision) {
				t.Errorf("Parse(%q) = %d, %v; it is finer than a cent", s, got, err)
			}
		case cents.Num().CmpAbs(big.NewInt(math.MaxInt64)) > 0:
			if !errors.Is(err, money.ErrRange) {
				t.Errorf("Parse(%q) = %d, %v; it is too large", s, got, err)
			}
		case err != nil || int64(got) != cents.Num().Int64():
			t.Errorf("Parse(%q) = %d, %v; want %d", s, got, err, cents.Num())
		default:
			checkRoundTrip(t, got)
		}
	})
}

func checkRoundTrip(t *testing.T, a money.Amount) {
	t.Helper()
	var back money.Amount
	b, err := json.Marshal(a)
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil || back != a || !number.Match(b) {
		t.Errorf("%d is written as %s and read as %d, %v", a, b, back, err)
	}
	if back, err = money.Parse(a.String()); err != nil || back != a {
		t.Errorf("%d is printed as %s and read as %d, %v", a, a, back, err)
	}
	if back, err = a.Decimal().Amount(); err != nil || back != a {
		t.Errorf("%d as a decimal is %d, %v", a, back, err)
	}
}

// A decimal in a body is what the client wrote, and nothing if that is no number.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"109.080", `"109.08"`, "null", "[1]", "-1e5", "{}", " 7 ", "true", "1e99999"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var (
			d        money.Decimal
			expected json.Number
		)
		if json.Unmarshal(value, &d) != nil {
			if json.Valid(value) {
				t.Errorf("%q is refused", value)
			}
			return
		}
		var any json.RawMessage
		if err := json.Unmarshal(value, &any); err != nil {
			t.Fatalf("%q is accepted: %v", value, err)
		}
		if number.Match(any) {
			expected = json.Number(any)
		}
		if len(any) < 100 && expected != "" && string(d) != string(expected) || expected == "" && number.MatchString(string(d)) {
			t.Errorf("%q is read as %q", value, d)
		}
		if errs := d.Check("body.amount"); d != "" {
			if _, err := d.Amount(); (err == nil) != (len(errs) == 0) {
				t.Errorf("%q: Check says %v, Amount %v", d, errs, err)
			}
			if b, err := json.Marshal(d); err != nil || string(b) != string(d) {
				t.Errorf("%q is written as %s, %v", d, b, err)
			}
		} else if errs != nil {
			t.Errorf("%q: Check says %v", value, errs)
		}
	})
}

// A sum is exact or refused, and so is a price.
func FuzzSums(f *testing.F) {
	f.Add(int64(8989), int64(1919), int32(890_000_000))
	f.Add(int64(math.MaxInt64), int64(1), int32(-1))
	f.Add(int64(math.MinInt64), int64(-1), int32(5))
	f.Fuzz(func(t *testing.T, a, b int64, nanos int32) {
		sum, err := money.Amount(a).Add(money.Amount(b))
		exact := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		if exact.IsInt64() != (err == nil) || err == nil && int64(sum) != exact.Int64() {
			t.Errorf("%d + %d = %d, %v", a, b, sum, err)
		}
		price, err := money.FromUnits(a, nanos)
		if err != nil {
			return
		}
		exact.Mul(big.NewInt(int64(price)), big.NewInt(10_000_000))
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(1_000_000_000))
		if exact.Cmp(want.Add(want, big.NewInt(int64(nanos)))) != 0 || price < 0 {
			t.Errorf("%d units and %d nanos are %d", a, nanos, price)
		}
	})
}
