package shop_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// What a customer's request carries, the services behind the gateway get.
func TestBaggageIsPassedOn(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	got := make(chan string, 10)
	behind := httputil.NewSingleHostReverseProxy(shoptest.URL(t, s.products.URL()))
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Baggage")
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(between.Close)
	gateway := shoptest.Start(t, s.gatewayWith(t, "product-svc", between.URL))
	for _, baggage := range []string{"attendee=ada", ""} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gateway+"/api/v1/products", nil)
		if err != nil {
			t.Fatal(err)
		}
		if baggage != "" {
			request.Header.Set("Baggage", baggage)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("status %d", response.StatusCode)
		}
		if passed := <-got; passed != baggage {
			t.Errorf("product-svc got %q, want %q", passed, baggage)
		}
	}
}
