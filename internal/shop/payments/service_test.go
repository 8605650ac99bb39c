package payments

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/orders"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }

func startOrders(t *testing.T, url string) string {
	return shoptest.Start(t, orders.New(orders.Config{Config: shoptest.Config(), Database: databasetest.Source(t, url)}, shoptest.Log()))
}

func start(t *testing.T, url, ordersURL string, interval time.Duration) string {
	return shoptest.Start(t, New(Config{
		Config: shoptest.Config(), Database: databasetest.Source(t, url),
		OrdersURL: shoptest.URL(t, ordersURL), SettleInterval: interval, ReconcileInterval: time.Hour,
	}, shoptest.Log()))
}

// newOrder creates an order in the seed's form, without an amount.
func newOrder(t *testing.T, ordersURL string) string {
	t.Helper()
	return shoptest.Do(t, "POST", ordersURL+"/orders", "", `{"user_id":"ann","product_ids":["L9ECAV7KIM"]}`).Want(t, 200).Member(t, "id")
}

// newOrderOf109 creates an order of 109.08 for ann.
func newOrderOf109(t *testing.T, ordersURL string) string {
	t.Helper()
	body := `{"user_id":"ann","product_ids":["L9ECAV7KIM","OLJCESPC7Z"],"amount":109.08}`
	return shoptest.Do(t, "POST", ordersURL+"/orders", "", body).Want(t, 200).Member(t, "id")
}

func payment(order string) string {
	return fmt.Sprintf(`{"user_id":"ann","order_id":%q,"amount":109.08}`, order)
}

func orderStatus(t *testing.T, ordersURL, order string) string {
	t.Helper()
	return shoptest.Do(t, "GET", ordersURL+"/orders/"+order, "", "").Want(t, 200).Member(t, "status")
}

func TestPay(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		base := start(t, url, ordersURL, time.Hour)
		order := newOrder(t, ordersURL)
		paid := shoptest.Do(t, "POST", base+"/payments", "", payment(order)).Want(t, 200)
		id := paid.Member(t, "id")
		if want := `{"id":"` + id + `","user_id":"ann","order_id":"` + order + `","amount":109.08,"status":"paid"}`; paid.Body != want {
			t.Errorf("got %s, want %s", paid.Body, want)
		}
		if got := shoptest.Do(t, "GET", base+"/payments/"+id, "", "").Want(t, 200); got.Body != paid.Body {
			t.Errorf("later %s, was %s", got.Body, paid.Body)
		}
		if got := orderStatus(t, ordersURL, order); got != "paid" {
			t.Errorf("the order is %s", got)
		}
		shoptest.Do(t, "POST", base+"/payments", "", payment(order)).WantDetail(t, 403, "Already Paid")
		shoptest.Do(t, "POST", base+"/payments", "", payment("nope")).WantDetail(t, 404, "Order not found")
		shoptest.Do(t, "GET", base+"/payments/nope", "", "").WantDetail(t, 404, "Payment not found")
	})
}

func TestPayRefusals(t *testing.T) {
	base := start(t, databasetest.SQLite(t), "http://127.0.0.1:1", time.Hour)
	for body, detail := range map[string]string{
		`{"user_id":"ann","order_id":"o"}`:                        "amount: is required",
		`{"user_id":"ann","order_id":"o","amount":0}`:             "amount: expected number >= 0.01",
		`{"user_id":"ann","order_id":"o","amount":-1}`:            "amount: expected number >= 0.01",
		`{"user_id":"ann","order_id":"o","amount":109.0801}`:      "amount: must have at most two decimals",
		`{"user_id":"ann","order_id":"o","amount":1000000.1}`:     "amount: expected number <= 1e+06",
		`{"user_id":"ann","order_id":"o","amount":1e400}`:         "amount: expected number <= 1e+06; amount: is too large",
		`{"user_id":"ann","order_id":"o","amount":1,"Amount":-1}`: "amount: is given more than once",
		`{"user_id":"ann","order_id":"\u0000","amount":1}`:        "order_id: must not contain U+0000",
		`{"user_id":"","order_id":"o","amount":1}`:                "user_id: expected length >= 1",
	} {
		shoptest.Do(t, "POST", base+"/payments", "", body).WantDetail(t, 422, detail)
	}
	shoptest.Do(t, "POST", base+"/payments", "", payment(uuid.NewString())).WantDetail(t, 502, "orders-svc cannot be reached")
	if hi := shoptest.Do(t, "GET", base+"/healthz", "", "").Want(t, 201); hi.Member(t, "message") != "Hi Mom!" {
		t.Error(hi.Body)
	}
}

func TestOneOfManyPaymentsWins(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		replicas := []string{start(t, url, ordersURL, time.Hour), start(t, url, ordersURL, time.Hour)}
		order := newOrder(t, ordersURL)
		var won atomic.Int32
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				switch answer := shoptest.Do(t, "POST", replicas[i%2]+"/payments", "", payment(order)); answer.Status {
				case 200:
					won.Add(1)
				case 403:
				default:
					t.Errorf("%d %s", answer.Status, answer.Body)
				}
			})
		}
		all.Wait()
		if n := won.Load(); n != 1 {
			t.Errorf("%d payments were taken, want 1", n)
		}
	})
}

func TestAPaymentIsComparedWithItsOrder(t *testing.T) {
	ordersURL := startOrders(t, databasetest.SQLite(t))
	base := start(t, databasetest.SQLite(t), ordersURL, time.Hour)
	order := newOrderOf109(t, ordersURL)
	pay := func(user, amount string) shoptest.Answer {
		return shoptest.Do(t, "POST", base+"/payments", "", fmt.Sprintf(`{"user_id":%q,"order_id":%q,"amount":%s}`, user, order, amount))
	}
	pay("bob", "109.08").WantDetail(t, 404, "Order not found")
	for _, wrong := range []string{"0.01", "109.07", "109.09", "1000000"} {
		pay("ann", wrong).WantDetail(t, 400, "Invalid Amount")
	}
	id := pay("ann", "109.08").Want(t, 200).Member(t, "id")
	pay("bob", "109.08").WantDetail(t, 404, "Order not found")
	again := pay("ann", "109.08").Want(t, 403)
	again.WantDetail(t, 403, "Already Paid")
	if got := again.Member(t, "payment_id"); got != id {
		t.Errorf("the refusal names payment %s, want %s", got, id)
	}
	if got := shoptest.Do(t, "GET", ordersURL+"/orders/"+order, "", "").Want(t, 200).Member(t, "payment_id"); got != id {
		t.Errorf("the order names payment %s, want %s", got, id)
	}
}
