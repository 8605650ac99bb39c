package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/client"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
)

// Payment is a payment of payments-svc.
type Payment struct {
	ID      string       `json:"id" format:"uuid" example:"7084ae0a-d386-4ecd-913d-17c72b408c2c"`
	UserID  string       `json:"user_id" example:"6cde8acb-c7e0-420e-8d10-7ada0a190430"`
	OrderID string       `json:"order_id" example:"d7f4deda-d2f0-40a5-99a0-d0287a855edf"`
	Amount  money.Amount `json:"amount"`
	Status  string       `json:"status" enum:"paid" example:"paid"`
}

// PaidOnce is what the contract says of POST /payments.
const PaidOnce = "An order is paid once: a further payment is refused with 403 Forbidden and the detail `Already Paid`."

// CreatePayment is the body of POST /payments.
type CreatePayment struct {
	UserID  string        `json:"user_id" minLength:"1" maxLength:"64" example:"6cde8acb-c7e0-420e-8d10-7ada0a190430"`
	OrderID string        `json:"order_id" minLength:"1" maxLength:"64" example:"d7f4deda-d2f0-40a5-99a0-d0287a855edf"`
	Amount  money.Decimal `json:"amount" minimum:"0.01" maximum:"1000000"`
}

// Resolve refuses an amount that is not one; huma calls it.
func (c *CreatePayment) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	return c.Amount.Check(at.With("amount"))
}

// Payments calls payments-svc.
type Payments struct{ *client.Client }

// NewPayments returns a client of payments-svc at the URL.
func NewPayments(base *url.URL) Payments { return Payments{client.New("payments-svc", base)} }

// Create pays: fault.Forbidden when the order is paid already, fault.NotFound
// when there is none. With a key, which may be empty, it can be repeated.
func (p Payments) Create(ctx context.Context, key Idempotency, payment CreatePayment) (Payment, error) {
	return call[Payment](ctx, p.Client, client.Call{Method: http.MethodPost, Path: []string{"payments"}, Header: key.header(), Body: payment})
}

// ByKey returns the user's payment that an earlier request with the key made, or
// fault.NotFound. It fails as Create does if the key was used for another request, or
// if the request is being carried out.
func (p Payments) ByKey(ctx context.Context, key Idempotency, userID string) (Payment, error) {
	return call[Payment](ctx, p.Client, client.Call{
		Method: http.MethodGet, Path: []string{"payments", "by-key"}, Query: url.Values{"user_id": {userID}}, Header: key.header(),
	})
}

// Get returns a payment, or fault.NotFound. An id that is no UUID is no payment's: the path
// of the call could be that of another operation, such as /payments/by-key.
func (p Payments) Get(ctx context.Context, id string) (Payment, error) {
	if uuid.Validate(id) != nil {
		return Payment{}, fault.New(fault.NotFound, "Payment not found")
	}
	return call[Payment](ctx, p.Client, client.Call{Method: http.MethodGet, Path: []string{"payments", id}})
}
