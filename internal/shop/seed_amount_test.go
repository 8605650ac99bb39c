package shop_test

import (
	"fmt"
	"testing"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// TestAPaidOrderInTheSeedsFormKeepsItsAmount creates orders on orders-svc itself, without
// an amount. One is paid on payments-svc before the gateway sees it, one after that.
func TestAPaidOrderInTheSeedsFormKeepsItsAmount(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *shop) {
		ann, gate := s.signUp(t, "ann"), s.gateway.URL()+"/api/v1"
		create := func() string {
			body := fmt.Sprintf(`{"user_id":%q,"product_ids":["L9ECAV7KIM"]}`, ann.id)
			return shoptest.Do(t, "POST", s.orders.URL()+"/orders", "", body).Want(t, 200).Member(t, "id")
		}
		pay := func(order, amount string) shoptest.Answer {
			return shoptest.Do(t, "POST", s.payments.URL()+"/payments", "", fmt.Sprintf(`{"user_id":%q,"order_id":%q,"amount":%s}`, ann.id, order, amount))
		}
		show := func(id string) (order api.Order) {
			shoptest.Do(t, "GET", gate+"/order/"+id, ann.token, "").Want(t, 200).Into(t, &order)
			if order.Amount == nil {
				t.Fatalf("order %s has no amount", id)
			}
			return order
		}
		paidFirst, seenFirst := create(), create()
		pay(paidFirst, "5.00").Want(t, 200)
		if got := show(paidFirst); *got.Amount != 500 || got.Status != api.StatusPaid {
			t.Errorf("the order is %s, of %v; 5.00 was paid", got.Status, got.Amount)
		}
		if got := show(seenFirst); *got.Amount != 8989 {
			t.Errorf("the order is of %v, want 89.89", got.Amount)
		}
		pay(seenFirst, "5.00").WantDetail(t, 400, "Invalid Amount")
		pay(seenFirst, "89.89").Want(t, 200)

		byHand := create()
		shoptest.Do(t, "PATCH", s.orders.URL()+"/orders/"+byHand+"/status?status=paid", "", "").Want(t, 200)
		shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, fmt.Sprintf(`{"order_id":%q,"amount":89.89}`, byHand)).WantDetail(t, 403, "Already Paid")
	})
}
