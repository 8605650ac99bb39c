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

// TestAnOrderThatBecomesPaidMeanwhileHasLostNothing pays for the order with
// another payment after it was read.
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
	if logged := b.log.String(); logged != "" {
		t.Errorf("nothing was lost, and the log says %s", logged)
	}
}

// TestAPaymentThatIsRefusedMeanwhileIsNoAnswer reads a second payment as pending just
// before another replica refuses it.
func TestAPaymentThatIsRefusedMeanwhileIsNoAnswer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBooks(t, url)
		order := newOrderOf109(t, b.ordersURL)
		first, second := record(t, b.store, order), record(t, b.store, order)
		settle(t, b.store, first, paid)
		shoptest.Do(t, "PATCH", b.ordersURL+"/orders/"+order+"/status?status=paid&payment_id="+first.ID, "", "").Want(t, 200)
		settle(t, b.store, second, refused)
		got, err := b.recordAsPaid(t.Context(), api.Order{ID: order, UserID: "ann", Status: paid, PaymentID: second.ID}, second)
		if err != nil || got.ID != first.ID || got.Status != paid {
			t.Errorf("got %+v, %v; want the first payment, paid", got, err)
		}
	})
}
