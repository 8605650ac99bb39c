package payments

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// TestAnOrderThatBecomesPaidMeanwhileHasLostNothing has somebody else pay for the
// order after it was read.
func TestAnOrderThatBecomesPaidMeanwhileHasLostNothing(t *testing.T) {
	b := newBooks(t, databasetest.SQLite(t))
	order := newOrderOf109(t, b.ordersURL)
	proxy := httputil.NewSingleHostReverseProxy(shoptest.URL(t, b.ordersURL))
	payMeanwhile := sync.OnceFunc(func() {
		if _, err := b.cashier.pay(t.Context(), api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: order, Amount: 10908}); err != nil {
			t.Error(err)
		}
	})
	proxy.ModifyResponse = func(*http.Response) error {
		payMeanwhile()
		return nil
	}
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	slow := *b.cashier
	slow.orders = api.NewOrders(shoptest.URL(t, srv.URL))
	t.Cleanup(slow.orders.Close)

	_, err := slow.pay(t.Context(), api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: order, Amount: 10908})
	if !fault.Is(err, fault.Forbidden) {
		t.Errorf("got %v, want that the order is paid", err)
	}
	if logged := b.log.buf.String(); logged != "" {
		t.Errorf("nothing was lost, and the log says %s", logged)
	}
}
