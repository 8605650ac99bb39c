package payments

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// odd answers the steps to paid of one order with a 4xx, and passes on the rest.
func odd(t *testing.T, ordersURL, order string) (url string) {
	proxy := httputil.NewSingleHostReverseProxy(shoptest.URL(t, ordersURL))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, order) {
			w.WriteHeader(http.StatusForbidden)
			if _, err := io.WriteString(w, `{"detail":"not today"}`); err != nil {
				t.Error(err)
			}
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestOddRefusalLeavesItsPaymentPendingAndNoOther(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		bad, good := newOrder(t, ordersURL), newOrder(t, ordersURL)
		s := &store{databasetest.Open(t, url, schema, migrations)}
		var ids []string
		for _, order := range []string{bad, good} {
			p, err := s.create(t.Context(), "ann", order, 10908)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, p.ID)
		}
		start(t, url, odd(t, ordersURL, bad), 20*time.Millisecond)
		awaitPending(t, s, 1)
		if _, err := s.paid(t.Context(), ids[1]); err != nil {
			t.Errorf("the good order: %v", err)
		}
		if left, err := s.pending(t.Context(), time.Now(), batch); err != nil || len(left) != 1 || left[0].ID != ids[0] {
			t.Errorf("pending: %+v, %v", left, err)
		}
	})
}
