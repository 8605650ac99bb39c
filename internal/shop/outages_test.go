package shop_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func TestServicesDownAndSlow(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: it waits for answers that do not come")
	}
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	order := shoptest.Do(t, "POST", s.gateway.URL()+"/api/v1/order/create", ann.token, loafersAndSunglasses).Want(t, 200).Member(t, "order.id")

	calls := map[string][3]string{ // by the service that fails
		"product-svc":  {"GET", "/api/v1/products", ""},
		"orders-svc":   {"GET", "/api/v1/order/" + order, ""},
		"payments-svc": {"POST", "/api/v1/payments/pay", fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, order)},
		"user-svc":     {"GET", "/api/v1/orders", ""},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, tc := range map[string]struct {
				url    string
				status int
				detail string
			}{
				"down": {"http://127.0.0.1:1", 502, name + " cannot be reached"},
				"slow": {blackHole(t), 504, name + " did not answer in time"},
			} {
				base := shoptest.Start(t, s.gatewayWith(t, name, tc.url))
				begin := time.Now()
				shoptest.Do(t, call[0], base+call[1], ann.token, call[2]).WantDetail(t, tc.status, tc.detail)
				if took := time.Since(begin); took > 15*time.Second {
					t.Errorf("%s: the answer took %v", kind, took)
				}
			}
		})
	}
}

// blackHole accepts connections and never answers.
func blackHole(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return "http://" + ln.Addr().String()
}
