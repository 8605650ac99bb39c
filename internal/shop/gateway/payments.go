package gateway

import (
	"context"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
)

// payBody takes any number as its amount: one that is not the order's, be it
// negative or finer than a cent, is the wrong amount and nothing else.
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
	order, err := s.ownOrder(ctx, in.Body.OrderID)
	if err != nil {
		return nil, err
	}
	orders := []api.Order{order}
	if err := s.addAmounts(ctx, orders); err != nil {
		return nil, err
	}
	amount, err := in.Body.Amount.Amount()
	if due := orders[0].Amount; err != nil || due == nil || amount != *due {
		return nil, fault.New(fault.BadRequest, "Invalid Amount")
	}
	key, err := in.For(struct {
		OrderID string
		Amount  money.Amount
	}{order.ID, amount})
	if err != nil {
		return nil, err
	}
	payment, err := s.payments.Create(ctx, key, api.CreatePayment{UserID: userOf(ctx), OrderID: order.ID, Amount: amount.Decimal()})
	if err != nil {
		return nil, err
	}
	return &paymentOutput{payment}, nil
}

func (s *service) getPayment(ctx context.Context, in *paymentInput) (*paymentOutput, error) {
	payment, err := s.payments.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if payment.UserID != userOf(ctx) {
		return nil, fault.New(fault.NotFound, "Payment not found")
	}
	return &paymentOutput{payment}, nil
}
