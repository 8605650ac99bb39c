package gateway

import (
	"context"
	"slices"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
)

type createBody struct {
	ProductIDs api.ProductIDs `json:"product_ids"`
}

// created has the seed's form: the amount stands beside the order, not in it.
type created struct {
	Order  createdOrder `json:"order"`
	Amount money.Amount `json:"amount"`
}

type createdOrder struct {
	ID         string         `json:"id" format:"uuid" example:"d7f4deda-d2f0-40a5-99a0-d0287a855edf"`
	UserID     string         `json:"user_id" example:"6cde8acb-c7e0-420e-8d10-7ada0a190430"`
	ProductIDs api.ProductIDs `json:"product_ids"`
	Status     string         `json:"status" enum:"pending,paid" example:"pending"`
}

type (
	createInput struct {
		api.IdempotencyKey
		Body createBody
	}
	createdOutput struct{ Body created }
	orderInput    struct {
		ID string `path:"id" example:"d7f4deda-d2f0-40a5-99a0-d0287a855edf"`
	}
	orderOutput  struct{ Body api.Order }
	ordersOutput struct{ Body []api.Order }
)

// createOrder calculates the amount from the current prices, then creates the order. It
// creates no order if a product is unknown.
func (s *service) createOrder(ctx context.Context, in *createInput) (*createdOutput, error) {
	key, err := in.For(in.Body.ProductIDs)
	if err != nil {
		return nil, err
	}
	var order api.Order
	amount, err := s.price(ctx, in.Body.ProductIDs)
	if err != nil {
		order, err = earlier(ctx, key, err, s.orders.ByKey)
	} else {
		decimal := amount.Decimal()
		order, err = s.orders.Create(ctx, key, api.CreateOrder{UserID: userOf(ctx), ProductIDs: in.Body.ProductIDs, Amount: &decimal})
	}
	if err != nil {
		return nil, err
	}
	s.owed.note(ctx, order)
	if order.Amount != nil { // If the request repeats an earlier one, its amount counts.
		amount = *order.Amount
	}
	return &createdOutput{created{createdOrder{order.ID, order.UserID, order.ProductIDs, order.Status}, amount}}, nil
}

// price returns what the products cost now, or fault.NotFound.
func (s *service) price(ctx context.Context, ids []string) (money.Amount, error) {
	catalogue, err := s.products.All(ctx)
	if err != nil {
		return 0, err
	}
	return total(catalogue, ids)
}

func (s *service) getOrder(ctx context.Context, in *orderInput) (*orderOutput, error) {
	order, err := s.ownOrder(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &orderOutput{order}, nil
}

func (s *service) listOrders(ctx context.Context, _ *struct{}) (*ordersOutput, error) {
	orders, err := s.orders.ByUser(ctx, userOf(ctx))
	if err != nil {
		return nil, err
	}
	if err := s.addAmounts(ctx, orders); err != nil {
		return nil, err
	}
	return &ordersOutput{orders}, nil
}

// ownOrder returns an order of the caller, with its amount. It returns fault.NotFound for
// an order of another user.
func (s *service) ownOrder(ctx context.Context, id string) (api.Order, error) {
	order, err := s.orders.Get(ctx, id)
	if err != nil {
		return api.Order{}, err
	}
	if order.UserID != userOf(ctx) {
		return api.Order{}, fault.New(fault.NotFound, "Order not found")
	}
	orders := []api.Order{order}
	if err := s.addAmounts(ctx, orders); err != nil {
		return api.Order{}, err
	}
	s.owed.note(ctx, orders[0])
	return orders[0], nil
}

// addAmounts fixes the amounts of orders that have none, because they were created on
// orders-svc directly, in the seed's form. The current prices count, and the amount never
// changes afterwards. An order with a product that is no longer sold gets no amount.
func (s *service) addAmounts(ctx context.Context, orders []api.Order) error {
	if !slices.ContainsFunc(orders, func(o api.Order) bool { return o.Amount == nil }) {
		return nil
	}
	catalogue, err := s.products.All(ctx)
	if err != nil {
		return err
	}
	for i := range orders {
		if orders[i].Amount != nil {
			continue
		}
		amount, err := total(catalogue, orders[i].ProductIDs)
		switch {
		case err == nil:
			if orders[i], err = s.orders.FixAmount(ctx, orders[i].ID, amount); err != nil {
				return err
			}
		case !fault.Is(err, fault.NotFound):
			return err
		}
	}
	return nil
}

// total adds up the prices of the products, or returns fault.NotFound.
func total(catalogue []api.Product, ids []string) (money.Amount, error) {
	var sum money.Amount
	for _, id := range ids {
		i := slices.IndexFunc(catalogue, func(p api.Product) bool { return p.ID == id })
		if i < 0 {
			return 0, fault.New(fault.NotFound, "Product not found: %s", id)
		}
		price, err := catalogue[i].PriceUSD.Amount()
		if err != nil {
			return 0, err
		}
		if sum, err = sum.Add(price); err != nil {
			return 0, err
		}
	}
	return sum, nil
}
