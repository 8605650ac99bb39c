package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// An id that is part of another operation's path, such as /orders/paid, is an unknown one.
func TestAnIDIsNotAPath(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte(`{}`)) // The client would report the failure.
	}))
	t.Cleanup(srv.Close)
	orders, payments := api.NewOrders(shoptest.URL(t, srv.URL)), api.NewPayments(shoptest.URL(t, srv.URL))
	t.Cleanup(orders.Close)
	t.Cleanup(payments.Close)
	ofOrders := map[string]func(ctx context.Context, id string) (api.Order, error){
		"Get":       orders.Get,
		"FixAmount": func(ctx context.Context, id string) (api.Order, error) { return orders.FixAmount(ctx, id, 1) },
		"MarkPaid": func(ctx context.Context, id string) (api.Order, error) {
			return orders.MarkPaid(ctx, api.Payment{ID: "p", OrderID: id})
		},
		"SetStatus": func(ctx context.Context, id string) (api.Order, error) {
			return orders.SetStatus(ctx, id, api.StatusPaid)
		},
		"PaidBy": orders.PaidBy,
		"ReplacePayment": func(ctx context.Context, id string) (api.Order, error) {
			return orders.ReplacePayment(ctx, id, "", "p")
		},
	}
	for _, id := range []string{"", "paid", "by-key", "paid-by", "nope"} {
		for name, call := range ofOrders {
			if _, err := call(t.Context(), id); !fault.Is(err, fault.NotFound) || err.Error() != "Order not found" {
				t.Errorf("%s of %q: %v", name, id, err)
			}
		}
		if _, err := payments.Get(t.Context(), id); !fault.Is(err, fault.NotFound) || err.Error() != "Payment not found" {
			t.Errorf("the payment %q: %v", id, err)
		}
	}
	if asked > 0 {
		t.Errorf("the service was asked %d times", asked)
	}
	for name, call := range ofOrders {
		if _, err := call(t.Context(), uuid.NewString()); err != nil {
			t.Errorf("%s of a UUID: %v", name, err)
		}
	}
	if _, err := payments.Get(t.Context(), uuid.NewString()); err != nil {
		t.Errorf("the payment of a UUID: %v", err)
	}
}
