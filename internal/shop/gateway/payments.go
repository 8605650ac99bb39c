package gateway

import (
	"context"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
)

// payBody accepts any number as its amount. A number that cannot be an amount, such as
// -1 or 0.001, is refused in the same way as the amount of another order.
type payBody struct {
	OrderID string        `json:"order_id" minLength:"1" maxLength:"64" example:"d7f4deda-d2f0-40a5-99a0-d0287a855edf"`
	Amount  money.Decimal `json:"amount"`
}

type (
	payInput struct {
		api.IdempotencyKey
		Body payBody
	}
	paymentInput struct {
		ID string `path:"id" example:"7084ae0a-d386-4ecd-913d-17c72b408c2c"`
	}
	paymentOutput struct{ Body api.Payment }
)

func (s *service) pay(ctx context.Context, in *payInput) (*paymentOutput, error) {
	key, err := in.For(in.Body.asked())
	if err != nil {
		return nil, err
	}
	amount, err := s.due(ctx, in.Body)
	if err != nil {
		return shown(earlier(ctx, key, err, s.payments.ByKey))
	}
	return shown(s.payments.Create(ctx, key, api.CreatePayment{UserID: userOf(ctx), OrderID: in.Body.OrderID, Amount: amount.Decimal()}))
}

// asked returns what the fingerprint of the request is made of. The amount is parsed,
// because 1.5 and 1.50 are the same.
func (b payBody) asked() any {
	amount, err := b.Amount.Amount()
	if err != nil {
		return b
	}
	return struct {
		OrderID string
		Amount  money.Amount
	}{b.OrderID, amount}
}

// due returns the amount of the caller's order. It fails if the body has another amount.
func (s *service) due(ctx context.Context, b payBody) (money.Amount, error) {
	amount, amountErr := b.Amount.Amount()
	if amountErr == nil && s.owed.agrees(ctx, b.OrderID, amount) {
		return amount, nil
	}
	order, err := s.ownOrder(ctx, b.OrderID)
	if err != nil {
		return 0, err
	}
	if order.Amount == nil && order.Status == api.StatusPaid { // It was set to paid without a payment.
		return 0, fault.New(fault.Forbidden, "Already Paid")
	}
	if due := order.Amount; amountErr != nil || due == nil || amount != *due {
		return 0, fault.New(fault.BadRequest, "Invalid Amount")
	}
	return amount, nil
}

func shown(payment api.Payment, err error) (*paymentOutput, error) {
	if err != nil {
		return nil, err
	}
	return &paymentOutput{payment}, nil
}

func (s *service) getPayment(ctx context.Context, in *paymentInput) (*paymentOutput, error) {
	payment, err := s.payments.Get(ctx, in.ID)
	if err == nil && payment.UserID != userOf(ctx) {
		err = fault.New(fault.NotFound, "Payment not found")
	}
	return shown(payment, err)
}
