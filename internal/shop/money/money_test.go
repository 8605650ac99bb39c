package money_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/koshop/koshop/internal/shop/money"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]money.Amount{
		"109.08": 10908, "109.080": 10908, "1.0908e2": 10908, "1.0908E+2": 10908, "10908e-2": 10908,
		"0": 0, "-0": 0, "0.01": 1, "-3.5": -350, "1e3": 100000, "20.10": 2010, "0e99999999999": 0,
		"92233720368547758.07": math.MaxInt64,
	} {
		if got, err := money.Parse(in); err != nil || got != want {
			t.Errorf("Parse(%s) = %d, %v; want %d", in, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"109.081": money.ErrPrecision, "109.07999": money.ErrPrecision, "1e-3": money.ErrPrecision,
		"1e-99999999999": money.ErrPrecision, "1e999999999999": money.ErrRange, "92233720368547758.08": money.ErrRange,
		"": money.ErrSyntax, "-": money.ErrSyntax, "1.": money.ErrSyntax, ".5": money.ErrSyntax, "1,5": money.ErrSyntax,
		`"1"`: money.ErrSyntax, "1e": money.ErrSyntax, "0x10": money.ErrSyntax, "NaN": money.ErrSyntax, "null": money.ErrSyntax,
	} {
		if got, err := money.Parse(in); !errors.Is(err, want) {
			t.Errorf("Parse(%s) = %d, %v; want %v", in, got, err, want)
		}
	}
}

func TestJSON(t *testing.T) {
	for amount, want := range map[money.Amount]string{
		10908: "109.08", 1850: "18.5", 2000: "20", 0: "0", 7: "0.07", -350: "-3.5", math.MinInt64: "-92233720368547758.08",
	} {
		b, err := json.Marshal(amount)
		if err != nil || string(b) != want {
			t.Errorf("Marshal(%d) = %s, %v; want %s", amount, b, err, want)
		}
	}
	var got struct{ Amount money.Amount }
	if err := json.Unmarshal([]byte(`{"amount": 109.080}`), &got); err != nil || got.Amount != 10908 {
		t.Errorf("Unmarshal = %d, %v", got.Amount, err)
	}
	if err := json.Unmarshal([]byte(`{"amount": 1.001}`), &got); !errors.Is(err, money.ErrPrecision) {
		t.Errorf("Unmarshal of 1.001: %v", err)
	}
}

func TestDecimalKeepsWhatWasWritten(t *testing.T) {
	var d money.Decimal
	if err := json.Unmarshal([]byte("109.080"), &d); err != nil || d != "109.080" {
		t.Fatalf("Unmarshal = %q, %v", d, err)
	}
	if b, err := json.Marshal(d); err != nil || string(b) != "109.080" {
		t.Errorf("Marshal = %s, %v", b, err)
	}
	if errs := d.Check("body.amount"); errs != nil {
		t.Errorf("Check: %v", errs)
	}
	if errs := money.Decimal("1.234").Check("body.amount"); len(errs) != 1 {
		t.Errorf("Check of 1.234: %v", errs)
	}
}

func TestSums(t *testing.T) {
	loafers, err := money.FromUnits(89, 890_000_000)
	if err != nil {
		t.Fatal(err)
	}
	sunglasses, err := money.FromUnits(19, 190_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := loafers.Add(sunglasses); err != nil || sum.String() != "109.08" {
		t.Errorf("sum = %s, %v", sum, err)
	}
	if _, err := money.Amount(math.MaxInt64).Add(1); !errors.Is(err, money.ErrRange) {
		t.Errorf("overflow: %v", err)
	}
	if _, err := money.Amount(math.MinInt64).Add(-1); !errors.Is(err, money.ErrRange) {
		t.Errorf("underflow: %v", err)
	}
	for _, bad := range []struct {
		units int64
		nanos int32
		want  error
	}{{1, 5, money.ErrPrecision}, {1, -1, money.ErrPrecision}, {1, 1_000_000_000, money.ErrPrecision}, {math.MaxInt64, 0, money.ErrRange}, {-1, 0, money.ErrRange}} {
		if _, err := money.FromUnits(bad.units, bad.nanos); !errors.Is(err, bad.want) {
			t.Errorf("FromUnits(%d, %d): %v, want %v", bad.units, bad.nanos, err, bad.want)
		}
	}
}
