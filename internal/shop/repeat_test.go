package shop_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/koshop/koshop/internal/shop/shoptest"
)

// TestARequestWithAKeyIsRepeated has clients that did not get their answer.
func TestARequestWithAKeyIsRepeated(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *shop) {
		gate := s.gateway.URL() + "/api/v1"
		ann, bob := s.signUp(t, "ann"), s.signUp(t, "bob")
		post := func(key, token, url, body string) shoptest.Answer {
			return shoptest.DoWith(t, http.Header{"Idempotency-Key": {key}}, "POST", url, token, body)
		}
		same := func(first shoptest.Answer, key, token, url, body string) {
			t.Helper()
			if again := post(key, token, url, body).Want(t, first.Status); again.Body != first.Body {
				t.Errorf("%s again: %s\nwas %s", url, again.Body, first.Body)
			}
		}
		order := post("1", ann.token, gate+"/order/create", loafersAndSunglasses).Want(t, 200)
		id := order.Member(t, "order.id")
		same(order, "1", ann.token, gate+"/order/create", strings.ReplaceAll(loafersAndSunglasses, " ", ""))
		post("1", ann.token, gate+"/order/create", `{"product_ids":["L9ECAV7KIM"]}`).WantDetail(t, 422, "The Idempotency-Key was used for another request")
		if other := post("1", bob.token, gate+"/order/create", loafersAndSunglasses).Want(t, 200); other.Member(t, "order.id") == id {
			t.Error("bob got ann's order")
		}
		second := post("2", ann.token, gate+"/order/create", loafersAndSunglasses).Want(t, 200).Member(t, "order.id")

		pay := func(order string) string { return fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, order) }
		paid := post("1", ann.token, gate+"/payments/pay", pay(id)).Want(t, 200)
		same(paid, "1", ann.token, gate+"/payments/pay", pay(id))
		same(order, "1", ann.token, gate+"/order/create", loafersAndSunglasses) // The answer is of then.
		post("1", ann.token, gate+"/payments/pay", pay(second)).Want(t, 422)
		post("2", ann.token, gate+"/payments/pay", pay(id)).WantDetail(t, 403, "Already Paid")
		shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, pay(id)).WantDetail(t, 403, "Already Paid")

		plain := fmt.Sprintf(`{"user_id":%q,"product_ids":["6E92ZMYYFZ"],"amount":8.99}`, ann.id)
		direct := post("3", "", s.orders.URL()+"/orders", plain).Want(t, 200)
		same(direct, "3", "", s.orders.URL()+"/orders", plain)
		payDirect := fmt.Sprintf(`{"user_id":%q,"order_id":%q,"amount":8.99}`, ann.id, direct.Member(t, "id"))
		same(post("3", "", s.payments.URL()+"/payments", payDirect).Want(t, 200), "3", "", s.payments.URL()+"/payments", payDirect)

		for _, bad := range []string{strings.Repeat("k", 256), "a b", "ä"} {
			if got := post(bad, ann.token, gate+"/order/create", loafersAndSunglasses).Want(t, 422).Member(t, "detail"); !strings.HasPrefix(got, "Idempotency-Key: ") {
				t.Error(got)
			}
		}
	})
}

// TestManyWithOneKeyPayOnce repeats a payment before it is answered.
func TestManyWithOneKeyPayOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *shop) {
		gate := s.gateway.URL() + "/api/v1"
		ann := s.signUp(t, "ann")
		order := shoptest.Do(t, "POST", gate+"/order/create", ann.token, loafersAndSunglasses).Want(t, 200).Member(t, "order.id")
		answers := make(chan shoptest.Answer, 16)
		var all sync.WaitGroup
		for range cap(answers) {
			all.Go(func() {
				for {
					answer := shoptest.DoWith(t, http.Header{"Idempotency-Key": {"k"}}, "POST", gate+"/payments/pay", ann.token, fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, order))
					if answer.Status == http.StatusConflict {
						if got := answer.Header.Get("Retry-After"); got != "1" {
							t.Errorf("Retry-After: %q", got)
						}
						continue
					}
					answers <- answer
					return
				}
			})
		}
		all.Wait()
		first := (<-answers).Want(t, 200).Member(t, "id")
		for range cap(answers) - 1 {
			if id := (<-answers).Want(t, 200).Member(t, "id"); id != first {
				t.Errorf("payments %s and %s", first, id)
			}
		}
	})
}

// The gateway asks for the answer to an earlier request with the key before it refuses a
// request by itself.
func TestAKeyComesBeforeARefusal(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *shop) {
		ann, bob := s.signUp(t, "ann"), s.signUp(t, "bob")
		gate := s.gateway.URL() + "/api/v1"
		post := func(base, key, token, path, body string) shoptest.Answer {
			return shoptest.DoWith(t, http.Header{"Idempotency-Key": {key}}, "POST", base+path, token, body)
		}
		const used, unknown = "The Idempotency-Key was used for another request", `{"product_ids":["NOPE"]}`
		post(gate, "k", ann.token, "/order/create", unknown).WantDetail(t, 404, "Product not found: NOPE")
		order := post(gate, "k", ann.token, "/order/create", loafersAndSunglasses).Want(t, 200)
		id := order.Member(t, "order.id")
		post(gate, "k", ann.token, "/order/create", unknown).WantDetail(t, 422, used)
		post(gate, "k", bob.token, "/order/create", unknown).Want(t, 404)
		post(gate, "k2", ann.token, "/order/create", unknown).Want(t, 404)

		pay := func(order, amount string) string { return fmt.Sprintf(`{"order_id":%q,"amount":%s}`, order, amount) }
		post(gate, "k", ann.token, "/payments/pay", pay(id, "1")).WantDetail(t, 400, "Invalid Amount")
		paid := post(gate, "k", ann.token, "/payments/pay", pay(id, "109.08")).Want(t, 200)
		for _, wrong := range []string{"1", "-109.08", "1e400", "109.081"} {
			post(gate, "k", ann.token, "/payments/pay", pay(id, wrong)).WantDetail(t, 422, used)
			post(gate, "k2", ann.token, "/payments/pay", pay(id, wrong)).WantDetail(t, 400, "Invalid Amount")
		}
		post(gate, "k", ann.token, "/payments/pay", pay("none", "109.08")).WantDetail(t, 422, used)
		post(gate, "k", bob.token, "/payments/pay", pay(id, "109.08")).WantDetail(t, 404, "Order not found")

		down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
		t.Cleanup(down.Close)
		noProducts := shoptest.Start(t, s.gatewayWith(t, "product-svc", down.URL)) + "/api/v1"
		if again := post(noProducts, "k", ann.token, "/order/create", loafersAndSunglasses).Want(t, 200); again.Body != order.Body {
			t.Errorf("without product-svc: %s\nwas %s", again.Body, order.Body)
		}
		post(noProducts, "k", ann.token, "/order/create", unknown).WantDetail(t, 422, used)
		post(noProducts, "k2", ann.token, "/order/create", unknown).Want(t, 502)
		noOrders := shoptest.Start(t, s.gatewayWith(t, "orders-svc", down.URL)) + "/api/v1"
		if again := post(noOrders, "k", ann.token, "/payments/pay", pay(id, "109.080")).Want(t, 200); again.Body != paid.Body {
			t.Errorf("without orders-svc: %s\nwas %s", again.Body, paid.Body)
		}
		post(noOrders, "k", ann.token, "/payments/pay", pay(id, "1")).WantDetail(t, 422, used)
		post(noOrders, "k2", ann.token, "/payments/pay", pay(id, "109.08")).Want(t, 502)
		noPayments := shoptest.Start(t, s.gatewayWith(t, "payments-svc", down.URL)) + "/api/v1"
		post(noPayments, "k", ann.token, "/payments/pay", pay(id, "1")).WantDetail(t, 400, "Invalid Amount")
	})
}
