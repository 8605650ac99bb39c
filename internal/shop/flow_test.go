package shop_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

const loafersAndSunglasses = `{"product_ids": ["L9ECAV7KIM", "OLJCESPC7Z"]}`

// TestTheSeedsFlow walks the user flow of the workshop.
func TestTheSeedsFlow(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *shop) {
		f := &flow{shop: s, ann: s.signUp(t, "ann"), bob: s.signUp(t, "bob")}
		f.browse(t)
		f.createOrder(t)
		f.payWrongAmounts(t)
		f.payOrder(t)
		s.restart(t)
		f.readAgain(t)
	})
}

// flow is what two customers do and have. Ann buys; Bob must see nothing of it.
type flow struct {
	*shop
	ann, bob           user
	orderID, paymentID string
}

// do sends a request to the gateway.
func (f *flow) do(t *testing.T, method, path, token, body string) shoptest.Answer {
	t.Helper()
	return shoptest.Do(t, method, f.gateway.URL()+"/api/v1"+path, token, body)
}

// pay pays the order.
func (f *flow) pay(t *testing.T, token, amount string) shoptest.Answer {
	t.Helper()
	return f.do(t, "POST", "/payments/pay", token, fmt.Sprintf(`{"order_id": %q, "amount": %s}`, f.orderID, amount))
}

func (f *flow) browse(t *testing.T) {
	var found []api.Product
	for _, path := range []string{"/products", "/products/category/footwear", "/products/search/lofers"} {
		f.do(t, "GET", path, "", "").Want(t, 200).Into(t, &found)
	}
	if len(found) != 1 || found[0].Name != "Loafers" {
		t.Errorf("search found %+v", found)
	}
	f.do(t, "GET", "/products/OLJCESPC7Z", "", "").Want(t, 200)
	f.do(t, "GET", "/products/NOPE", "", "").WantDetail(t, 404, "Product not found")
	f.do(t, "GET", "/products/search/zzzz", "", "").WantDetail(t, 404, "No products found")
}

func (f *flow) createOrder(t *testing.T) {
	order := f.do(t, "POST", "/order/create", f.ann.token, loafersAndSunglasses).Want(t, 200)
	f.orderID = order.Member(t, "order.id")
	want := fmt.Sprintf(`{"order":{"id":%q,"user_id":%q,"product_ids":["L9ECAV7KIM","OLJCESPC7Z"],"status":"pending"},"amount":109.08}`, f.orderID, f.ann.id)
	if order.Body != want {
		t.Errorf("created %s\nwant    %s", order.Body, want)
	}
	f.do(t, "GET", "/order/"+f.orderID, f.bob.token, "").WantDetail(t, 404, "Order not found")
}

func (f *flow) payWrongAmounts(t *testing.T) {
	for _, wrong := range []string{"109.09", "109.07999", "109.080001", "0", "-109.08", "1e30", "1e400", "1" + strings.Repeat("0", 1900)} {
		f.pay(t, f.ann.token, wrong).WantDetail(t, 400, "Invalid Amount")
	}
	f.pay(t, f.ann.token, `"109.08"`).WantDetail(t, 422, "amount: expected number")
	f.pay(t, f.bob.token, "109.08").WantDetail(t, 404, "Order not found")
}

func (f *flow) payOrder(t *testing.T) {
	paid := f.pay(t, f.ann.token, "109.08").Want(t, 200)
	f.paymentID = paid.Member(t, "id")
	want := fmt.Sprintf(`{"id":%q,"user_id":%q,"order_id":%q,"amount":109.08,"status":"paid"}`, f.paymentID, f.ann.id, f.orderID)
	if paid.Body != want {
		t.Errorf("paid %s\nwant %s", paid.Body, want)
	}
	f.pay(t, f.ann.token, "109.08").WantDetail(t, 403, "Already Paid")
	if got := f.pay(t, f.ann.token, "109.08").Member(t, "payment_id"); got != f.paymentID {
		t.Errorf("the refusal names payment %s, want %s", got, f.paymentID)
	}
	status := "/payments/status/" + f.paymentID
	if got := f.do(t, "GET", status, f.ann.token, "").Want(t, 200); got.Body != want {
		t.Errorf("status %s\nwant   %s", got.Body, want)
	}
	f.do(t, "GET", status, f.bob.token, "").WantDetail(t, 404, "Payment not found")
}

// readAgain reads what the services have stored.
func (f *flow) readAgain(t *testing.T) {
	want := fmt.Sprintf(`{"id":%q,"user_id":%q,"product_ids":["L9ECAV7KIM","OLJCESPC7Z"],"status":"paid","amount":109.08,"payment_id":%q}`, f.orderID, f.ann.id, f.paymentID)
	if got := f.do(t, "GET", "/order/"+f.orderID, f.ann.token, "").Want(t, 200); got.Body != want {
		t.Errorf("after a restart %s\nwant            %s", got.Body, want)
	}
	if got := f.do(t, "GET", "/orders", f.ann.token, "").Want(t, 200); got.Body != "["+want+"]" {
		t.Errorf("orders %s\nwant   [%s]", got.Body, want)
	}
	if got := f.do(t, "GET", "/orders", f.bob.token, "").Want(t, 200); got.Body != "[]" {
		t.Errorf("bob has orders: %s", got.Body)
	}
	f.do(t, "GET", "/payments/status/"+f.paymentID, f.ann.token, "").Want(t, 200)
}

func TestUnknownProductMakesNoOrder(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	gate := s.gateway.URL() + "/api/v1"
	shoptest.Do(t, "POST", gate+"/order/create", ann.token, `{"product_ids":["L9ECAV7KIM","NOPE"]}`).WantDetail(t, 404, "Product not found: NOPE")
	shoptest.Do(t, "POST", gate+"/order/create", ann.token, `{"product_ids":[]}`).WantDetail(t, 422, "product_ids: expected array length >= 1")
	if got := shoptest.Do(t, "GET", s.orders.URL()+"/orders?user_id="+ann.id, "", "").Want(t, 200); got.Body != "[]" {
		t.Errorf("orders: %s", got.Body)
	}
}

// TestOrderInTheSeedsForm is created on orders-svc itself, without an amount;
// the price at which it is first seen is what must be paid.
func TestOrderInTheSeedsForm(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	gate := s.gateway.URL() + "/api/v1"
	create := func(product string) string {
		body := fmt.Sprintf(`{"user_id":%q,"product_ids":[%q]}`, ann.id, product)
		return shoptest.Do(t, "POST", s.orders.URL()+"/orders", "", body).Want(t, 200).Member(t, "id")
	}
	mug, gone := create("6E92ZMYYFZ"), create("GONE")
	if got := shoptest.Do(t, "GET", gate+"/order/"+mug, ann.token, "").Want(t, 200); !strings.HasSuffix(got.Body, `"amount":8.99}`) {
		t.Error(got.Body)
	}
	if got := shoptest.Do(t, "GET", s.orders.URL()+"/orders/"+mug, "", "").Want(t, 200); !strings.HasSuffix(got.Body, `"amount":8.99}`) {
		t.Errorf("the amount was not fixed: %s", got.Body)
	}
	shoptest.Do(t, "GET", gate+"/order/"+gone, ann.token, "").Want(t, 200)
	shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, fmt.Sprintf(`{"order_id":%q,"amount":1}`, gone)).WantDetail(t, 400, "Invalid Amount")
	shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, fmt.Sprintf(`{"order_id":%q,"amount":8.990}`, mug)).Want(t, 200)
}
