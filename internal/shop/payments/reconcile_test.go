package payments

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// books are the payments and the orders, both of which a test may damage.
type books struct {
	*cashier
	base, ordersURL string
	payments        *database.DB
	orders          *database.DB
	log             *logBuffer
}

func newBooks(t *testing.T, url string) *books {
	ordersURL := startOrders(t, databasetest.For(url, "orders"))
	b := &books{base: start(t, url, ordersURL, time.Hour), ordersURL: ordersURL, log: &logBuffer{}}
	b.payments = databasetest.Open(t, url, schema, migrations)
	b.orders = databasetest.Open(t, databasetest.For(url, "orders"), "orders", fstest.MapFS{}) // orders-svc has made its tables
	b.cashier = newCashier(t, &store{b.payments}, ordersURL, b.log)
	b.cashier.log = slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return b
}

func (b *books) pay(t *testing.T, order string) shoptest.Answer {
	t.Helper()
	return shoptest.Do(t, "POST", b.base+"/payments", "", payment(order))
}

func exec(t *testing.T, db *database.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// compare compares everything once, page by page.
func (b *books) compare(t *testing.T) {
	t.Helper()
	for after := ""; ; {
		next, err := b.comparePage(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		if next == "" {
			return
		}
		after = next
	}
}

// damage is what a test does to the books of one paid order.
type damage struct {
	order, payment string // statements; $1 is the id of the order
	named          string // the difference that only a person can resolve
	usual          bool   // the log says nothing about it
}

var damages = map[string]damage{
	"the orders are restored":             {order: `UPDATE orders SET status = 'pending', payment_id = NULL WHERE id = $1`},
	"the order names no payment":          {order: `UPDATE orders SET payment_id = NULL WHERE id = $1`},
	"the order names another payment":     {order: `UPDATE orders SET payment_id = '5d1f9d06-25f5-4e1b-9d5e-6c5ad57f1b51' WHERE id = $1`},
	"the payments are restored":           {payment: `DELETE FROM payments WHERE order_id = $1`},
	"the payment is pending":              {payment: `UPDATE payments SET status = 'pending' WHERE order_id = $1`, usual: true},
	"the payment is refused":              {payment: `UPDATE payments SET status = 'refused' WHERE order_id = $1`},
	"the order is lost":                   {order: `DELETE FROM orders WHERE id = $1`, named: "for an order that is not there"},
	"the payment has another amount":      {payment: `UPDATE payments SET amount = 1 WHERE order_id = $1`, named: "another user or amount"},
	"the payment has another user":        {payment: `UPDATE payments SET user_id = 'bob' WHERE order_id = $1`, named: "another user or amount"},
	"the amount is lost":                  {payment: `DELETE FROM payments WHERE order_id = $1`, order: `UPDATE orders SET amount = NULL WHERE id = $1`, named: "its amount is unknown"},
	"the order was set to paid by hand":   {payment: `DELETE FROM payments WHERE order_id = $1`, order: `UPDATE orders SET payment_id = NULL WHERE id = $1`, named: "without a payment"},
	"the order has no amount":             {order: `UPDATE orders SET amount = NULL WHERE id = $1`},
	"a restored order has another amount": {order: `UPDATE orders SET status = 'pending', payment_id = NULL, amount = 1 WHERE id = $1`, named: "another user or amount"},
	"nothing":                             {usual: true},
	"the order names what is no payment":  {order: `UPDATE orders SET payment_id = 'p' WHERE id = $1`},
}

func TestPaymentsAndOrdersAreMadeToAgree(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBooks(t, url)
		type entry struct{ order, payment string }
		entries := map[string]entry{}
		for name, d := range damages {
			order := newOrderOf109(t, b.ordersURL)
			entries[name] = entry{order, b.pay(t, order).Want(t, 200).Member(t, "id")}
			for db, statement := range map[*database.DB]string{b.payments: d.payment, b.orders: d.order} {
				if statement != "" {
					exec(t, db, statement, order)
				}
			}
		}
		for range 3 { // A difference that only a person can resolve is logged once.
			b.compare(t)
		}
		for name, d := range damages {
			e := entries[name]
			if d.named != "" {
				if n := strings.Count(b.log.String(), d.named); n == 0 {
					t.Errorf("%s: nothing was named: %s", name, b.log.String())
				}
				continue
			}
			shoptest.Do(t, "GET", b.base+"/payments/"+e.payment, "", "").Want(t, 200)
			if got := shoptest.Do(t, "GET", b.ordersURL+"/orders/"+e.order, "", "").Want(t, 200); !strings.Contains(got.Body, `"status":"paid","amount":109.08,"payment_id":"`+e.payment) {
				t.Errorf("%s: %s", name, got.Body)
			}
			if n := strings.Count(b.log.String(), e.order); n != 1 && !d.usual || n > 0 && d.usual {
				t.Errorf("%s is named %d times:\n%s", name, n, b.log.String())
			}
		}
		if n := strings.Count(b.log.String(), "level=ERROR"); n != 6 {
			t.Errorf("%d differences were named, want each once:\n%s", n, b.log.String())
		}
	})
}

// TestNothingIsPaidTwiceAfterTheOrdersAreRestored does not wait for the comparison.
func TestNothingIsPaidTwiceAfterTheOrdersAreRestored(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBooks(t, url)
		order := newOrderOf109(t, b.ordersURL)
		id := b.pay(t, order).Want(t, 200).Member(t, "id")
		exec(t, b.orders, `UPDATE orders SET status = 'pending', payment_id = NULL WHERE id = $1`, order)
		var all sync.WaitGroup
		answers := make([]shoptest.Answer, 8)
		for i := range answers {
			all.Go(func() { answers[i] = b.pay(t, order) })
		}
		all.Wait()
		for _, again := range answers {
			if again.Status != 403 || again.Member(t, "payment_id") != id {
				t.Errorf("%d %s", again.Status, again.Body)
			}
		}
		if got := shoptest.Do(t, "GET", b.ordersURL+"/orders/"+order, "", "").Want(t, 200); got.Member(t, "payment_id") != id {
			t.Error(got.Body)
		}
	})
}

// TestASecondPaymentNeverCounts has a second payment win the order, as when the
// orders are restored while the first one is under way.
func TestASecondPaymentNeverCounts(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBooks(t, url)
		order := newOrderOf109(t, b.ordersURL)
		first, second := record(t, b.store, order), record(t, b.store, order)
		settle(t, b.store, first, paid)
		if _, err := b.store.settle(t.Context(), second.ID, pending, paid); !database.IsUnique(err) {
			t.Fatalf("two payments were taken for an order: %v", err)
		}
		shoptest.Do(t, "PATCH", b.ordersURL+"/orders/"+order+"/status?status=paid&payment_id="+second.ID, "", "").Want(t, 200)
		if got, err := b.settle(t.Context(), second, true); err != nil || got.ID != first.ID {
			t.Errorf("settled: %+v, %v; want the first one", got, err)
		}
		if got := shoptest.Do(t, "GET", b.ordersURL+"/orders/"+order, "", "").Want(t, 200); got.Member(t, "payment_id") != first.ID {
			t.Error(got.Body)
		}
		if got, err := b.store.get(t.Context(), second.ID); err != nil || got.Status != refused {
			t.Errorf("the second payment: %+v, %v", got, err)
		}
	})
}

func TestEveryPageIsCompared(t *testing.T) {
	b := newBooks(t, databasetest.SQLite(t))
	const n = 2*api.Page + 10
	for i := range n {
		order, payment := uuid.NewString(), uuid.NewString()
		if i%2 == 0 { // Half of the orders have lost their payments, and half of the payments are lost.
			exec(t, b.orders, `INSERT INTO orders (id, user_id, product_ids, status, amount, created_at) VALUES ($1, 'ann', '["x"]', 'pending', 1, 0)`, order)
			exec(t, b.payments, `INSERT INTO payments (id, user_id, order_id, amount, status, created_at) VALUES ($1, 'ann', $2, 1, 'paid', 0)`, payment, order)
		} else {
			exec(t, b.orders, `INSERT INTO orders (id, user_id, product_ids, status, amount, payment_id, created_at) VALUES ($1, 'ann', '["x"]', 'paid', 1, $2, 0)`, order, payment)
		}
	}
	b.compare(t)
	var orders, payments int
	if err := b.orders.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM orders WHERE status = 'paid' AND payment_id <> ''`).Scan(&orders); err != nil {
		t.Fatal(err)
	}
	if err := b.payments.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM payments WHERE status = 'paid'`).Scan(&payments); err != nil {
		t.Fatal(err)
	}
	if orders != n || payments != n {
		t.Errorf("%d orders and %d payments are paid, want %d", orders, payments, n)
	}
}
