package payments

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
		OrdersURL: shoptest.URL(t, ordersURL), SettleInterval: interval,
	}, shoptest.Log()))
}

func newOrder(t *testing.T, ordersURL string) string {
	t.Helper()
	return shoptest.Do(t, "POST", ordersURL+"/orders", "", `{"user_id":"ann","product_ids":["L9ECAV7KIM"]}`).Want(t, 200).Member(t, "id")
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
	shoptest.Do(t, "POST", base+"/payments", "", payment("o")).WantDetail(t, 502, "orders-svc cannot be reached")
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

// faulty stands between payments-svc and orders-svc. While it is broken it lets
// the step to paid happen and then drops the connection: the caller cannot
// know.
type faulty struct {
	url    string
	broken atomic.Int32 // how many more steps to break
	steps  atomic.Int32
}

func newFaulty(t *testing.T, ordersURL string) *faulty {
	f := &faulty{}
	proxy := httputil.NewSingleHostReverseProxy(shoptest.URL(t, ordersURL))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPatch {
			proxy.ServeHTTP(w, r)
			return
		}
		f.steps.Add(1)
		if f.broken.Add(-1) < 0 {
			proxy.ServeHTTP(w, r)
			return
		}
		proxy.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(srv.Close)
	f.url = srv.URL
	return f
}

func TestUnknownOutcomeIsRepeated(t *testing.T) {
	ordersURL := startOrders(t, databasetest.SQLite(t))
	f := newFaulty(t, ordersURL)
	f.broken.Store(2)
	base := start(t, databasetest.SQLite(t), f.url, time.Hour)
	shoptest.Do(t, "POST", base+"/payments", "", payment(newOrder(t, ordersURL))).Want(t, 200)
	if n := f.steps.Load(); n != 3 {
		t.Errorf("%d steps, want 3", n)
	}
}

func TestPaymentsLeftOverAreSettled(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		s := &store{databasetest.Open(t, url, schema, migrations)}
		order, taken := newOrder(t, ordersURL), newOrder(t, ordersURL)
		shoptest.Do(t, "PATCH", ordersURL+"/orders/"+taken+"/status?status=paid&payment_id=other", "", "").Want(t, 200)

		// As a crash leaves them: on record, and nobody at work on them.
		left, err := s.create(t.Context(), "ann", order, 10908)
		if err != nil {
			t.Fatal(err)
		}
		late, err := s.create(t.Context(), "ann", taken, 10908)
		if err != nil {
			t.Fatal(err)
		}
		lost, err := s.create(t.Context(), "ann", "nope", 10908)
		if err != nil {
			t.Fatal(err)
		}
		replicas := []string{start(t, url, ordersURL, 20*time.Millisecond), start(t, url, ordersURL, 20*time.Millisecond)}
		awaitNonePending(t, s)
		for _, base := range replicas {
			shoptest.Do(t, "GET", base+"/payments/"+left.ID, "", "").Want(t, 200)
			shoptest.Do(t, "GET", base+"/payments/"+late.ID, "", "").Want(t, 404)
			shoptest.Do(t, "GET", base+"/payments/"+lost.ID, "", "").Want(t, 404)
		}
		if got := orderStatus(t, ordersURL, order); got != "paid" {
			t.Errorf("the order is %s", got)
		}
	})
}

func TestClientThatIsToldNothingIsChargedOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	ordersURL := startOrders(t, databasetest.SQLite(t))
	f := newFaulty(t, ordersURL)
	f.broken.Store(1000)
	url := databasetest.SQLite(t)
	base := start(t, url, f.url, 50*time.Millisecond)
	order := newOrder(t, ordersURL)
	begin := time.Now()
	shoptest.Do(t, "POST", base+"/payments", "", payment(order)).WantDetail(t, 502, "orders-svc cannot be reached")
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the answer took %v", took)
	}
	f.broken.Store(0)
	awaitNonePending(t, &store{databasetest.Open(t, url, schema, migrations)})
	shoptest.Do(t, "POST", base+"/payments", "", payment(order)).WantDetail(t, 403, "Already Paid")
}

func awaitNonePending(t *testing.T, s *store) {
	t.Helper()
	awaitPending(t, s, 0)
}

func awaitPending(t *testing.T, s *store, n int) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left, err := s.pending(t.Context(), time.Now(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still pending: %+v", left)
		}
	}
}
