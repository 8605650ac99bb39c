package money

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// Decimal is an amount as a client wrote it. Requests carry it instead of an
// Amount so that a bad one is reported with the name of its field, not as a
// body that cannot be decoded.
type Decimal string

// Decimal returns the amount in the form for requests.
func (a Amount) Decimal() Decimal { return Decimal(a.String()) }

// Amount parses the decimal; see Parse for its errors.
func (d Decimal) Amount() (Amount, error) { return Parse(string(d)) }

// MarshalJSON writes the number as it stands.
func (d Decimal) MarshalJSON() ([]byte, error) { return json.Marshal(json.Number(d)) }

// UnmarshalJSON keeps a number as it was written. What is no number is left to
// the schema to report; the decimal is empty then.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	*d = ""
	if b[0] == '-' || '0' <= b[0] && b[0] <= '9' {
		*d = Decimal(b)
	}
	return nil
}

// Schema describes a Decimal for OpenAPI.
func (Decimal) Schema(huma.Registry) *huma.Schema { return schema() }

// Check returns the problem of a number as huma reports problems, located at
// the given path, or nothing.
func (d Decimal) Check(location string) []error {
	if d == "" {
		return nil
	}
	if _, err := d.Amount(); err != nil {
		return []error{&huma.ErrorDetail{Location: location, Message: err.Error()}}
	}
	return nil
}
