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

// The statuses of an order and of a payment.
const (
	StatusPending = "pending"
	StatusPaid    = "paid"
)

// Page is the greatest number of orders that [Orders.Paid] returns.
const Page = 200

// Order is an order of orders-svc. It has an amount when it was created with
// one; the seed's form has none until it is fixed.
type Order struct {
	ID         string        `json:"id" format:"uuid" example:"d7f4deda-d2f0-40a5-99a0-d0287a855edf"`
	UserID     string        `json:"user_id" example:"6cde8acb-c7e0-420e-8d10-7ada0a190430"`
	ProductIDs []string      `json:"product_ids" example:"[\"L9ECAV7KIM\",\"OLJCESPC7Z\"]"`
	Status     string        `json:"status" enum:"pending,paid" example:"pending"`
	Amount     *money.Amount `json:"amount,omitempty" doc:"What must be paid, fixed for good"`
	PaymentID  string        `json:"payment_id,omitempty" doc:"The payment that paid for the order" example:"7084ae0a-d386-4ecd-913d-17c72b408c2c"`
}

// ProductIDs are the products of an order, each as often as it is ordered.
type ProductIDs []string

// Schema bounds the list; the tags of a field cannot bound a list and its items.
func (ProductIDs) Schema(huma.Registry) *huma.Schema {
	const maxPieces, maxID = 100, 64
	items := &huma.Schema{Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(maxID)}
	items.PrecomputeMessages()
	return &huma.Schema{
		Type: huma.TypeArray, Items: items, MinItems: ptr(1), MaxItems: ptr(maxPieces),
		Examples: []any{[]string{"L9ECAV7KIM", "OLJCESPC7Z"}}, Description: "Products to order",
	}
}

func ptr[T any](v T) *T { return &v }

// CreateOrder is the body of POST /orders.
type CreateOrder struct {
	UserID     string         `json:"user_id" minLength:"1" maxLength:"64" example:"6cde8acb-c7e0-420e-8d10-7ada0a190430"`
	ProductIDs ProductIDs     `json:"product_ids"`
	Amount     *money.Decimal `json:"amount,omitempty" minimum:"0.01" maximum:"1000000" doc:"What must be paid; fixed from now on"`
}

// Resolve refuses an amount that is not one; huma calls it.
func (c *CreateOrder) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	if c.Amount == nil {
		return nil
	}
	return c.Amount.Check(at.With("amount"))
}

// FixAmount is the body of PATCH /orders/{id}/amount.
type FixAmount struct {
	Amount money.Decimal `json:"amount" minimum:"0.01" maximum:"1000000" doc:"What must be paid from now on, unless the order has an amount or is paid"`
}

// Resolve refuses an amount that is not one; huma calls it.
func (f *FixAmount) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	return f.Amount.Check(at.With("amount"))
}

// Orders calls orders-svc. Its methods return fault.NotFound for an id that is no UUID,
// because the path of the call could be that of another operation, such as /orders/paid.
type Orders struct{ *client.Client }

// NewOrders returns a client of orders-svc at the URL.
func NewOrders(base *url.URL) Orders { return Orders{client.New("orders-svc", base)} }

// Create creates an order. With a key, which may be empty, it can be repeated.
func (o Orders) Create(ctx context.Context, key Idempotency, order CreateOrder) (Order, error) {
	return call[Order](ctx, o.Client, client.Call{Method: http.MethodPost, Path: []string{"orders"}, Header: key.header(), Body: order})
}

// ByKey returns the user's order that an earlier request with the key created, or
// fault.NotFound. It fails as Create does if the key was used for another request, or
// if the request is being carried out.
func (o Orders) ByKey(ctx context.Context, key Idempotency, userID string) (Order, error) {
	return call[Order](ctx, o.Client, client.Call{
		Method: http.MethodGet, Path: []string{"orders", "by-key"}, Query: url.Values{"user_id": {userID}}, Header: key.header(),
	})
}

// Get returns an order, or fault.NotFound.
func (o Orders) Get(ctx context.Context, id string) (Order, error) {
	return o.call(ctx, id, client.Call{Method: http.MethodGet, Path: []string{"orders", id}})
}

// ByUser returns the user's latest orders, newest first.
func (o Orders) ByUser(ctx context.Context, userID string) ([]Order, error) {
	return call[[]Order](ctx, o.Client, client.Call{Method: http.MethodGet, Path: []string{"orders"}, Query: url.Values{"user_id": {userID}}})
}

// FixAmount gives a pending order without an amount its amount, and returns the
// order. The order may have another amount, if that was fixed before, or none, if
// it was set to paid without a payment.
func (o Orders) FixAmount(ctx context.Context, id string, amount money.Amount) (Order, error) {
	return o.call(ctx, id, client.Call{
		Method: http.MethodPatch, Path: []string{"orders", id, "amount"}, Body: FixAmount{Amount: amount.Decimal()},
	})
}

// MarkPaid sets the order to paid on behalf of the payment. It returns
// fault.Conflict if another payment did so before, or if the order has another
// amount; an order without an amount gets that of the payment. Repeating it is
// harmless.
func (o Orders) MarkPaid(ctx context.Context, p Payment) (Order, error) {
	return o.call(ctx, p.OrderID, client.Call{
		Method: http.MethodPatch, Path: []string{"orders", p.OrderID, "status"},
		Query: url.Values{"status": {StatusPaid}, "payment_id": {p.ID}, "amount": {p.Amount.String()}},
	})
}

// SetStatus sets the status of an order in the seed's form, which names no payment.
// It is no error if the order has the status already.
func (o Orders) SetStatus(ctx context.Context, id, status string) (Order, error) {
	return o.call(ctx, id, client.Call{
		Method: http.MethodPatch, Path: []string{"orders", id, "status"}, Query: url.Values{"status": {status}},
	})
}

// Paid returns a page of the paid orders whose ids come after the given one, in
// the order of their ids. A page without orders is the last one.
func (o Orders) Paid(ctx context.Context, after string) ([]Order, error) {
	return call[[]Order](ctx, o.Client, client.Call{Method: http.MethodGet, Path: []string{"orders", "paid"}, Query: url.Values{"after": {after}}})
}

// PaidBy returns the order that became paid by the payment, or fault.NotFound.
func (o Orders) PaidBy(ctx context.Context, paymentID string) (Order, error) {
	return o.call(ctx, paymentID, client.Call{Method: http.MethodGet, Path: []string{"orders", "paid-by", paymentID}})
}

// ReplacePayment makes a paid order name another payment than the old one, which
// may be "". It returns fault.Conflict if the order names neither. Repeating it
// is harmless.
func (o Orders) ReplacePayment(ctx context.Context, id, old, paymentID string) (Order, error) {
	return o.call(ctx, id, client.Call{
		Method: http.MethodPatch, Path: []string{"orders", id, "payment"}, Query: url.Values{"old": {old}, "payment_id": {paymentID}},
	})
}

// call makes a call whose path has the id of an order or of a payment.
func (o Orders) call(ctx context.Context, id string, what client.Call) (Order, error) {
	if uuid.Validate(id) != nil {
		return Order{}, fault.New(fault.NotFound, "Order not found")
	}
	return call[Order](ctx, o.Client, what)
}
