package shop_test

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// The member picture of a product leads to an image on the host that shows the
// product, be it product-svc or the gateway.
func TestPicturesAtTheGateway(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	var found []api.Product
	shoptest.Do(t, "GET", s.gateway.URL()+"/api/v1/products", "", "").Want(t, 200).Into(t, &found)
	for _, product := range found {
		got := shoptest.Do(t, "GET", s.gateway.URL()+product.Picture, "", "").Want(t, 200)
		want := shoptest.Do(t, "GET", s.products.URL()+product.Picture, "", "").Want(t, 200)
		if got.Body != want.Body || !strings.HasPrefix(got.Body, "<svg") {
			t.Errorf("%s: the gateway shows\n%.80s\nproduct-svc\n%.80s", product.Picture, got.Body, want.Body)
		}
		for _, header := range []string{"Content-Type", "Cache-Control"} {
			if got.Header.Get(header) != want.Header.Get(header) || got.Header.Get(header) == "" {
				t.Errorf("%s: %s is %q at the gateway, and %q at product-svc", product.Picture, header, got.Header.Get(header), want.Header.Get(header))
			}
		}
	}
	if len(found) != 9 {
		t.Errorf("%d products", len(found))
	}
	for _, file := range []string{"submarine.svg", "..%2Fcatalogue.json", "..%2Fproducts", "%2e%2e"} {
		shoptest.Do(t, "GET", s.gateway.URL()+"/pictures/"+file, "", "").WantDetail(t, 404, "Picture not found")
	}
	shoptest.Do(t, "GET", s.gateway.URL()+"/pictures/"+strings.Repeat("x", 101), "", "").WantDetail(t, 422, "file: expected length <= 100")
	down := shoptest.Start(t, s.gatewayWith(t, "product-svc", "http://127.0.0.1:1"))
	shoptest.Do(t, "GET", down+"/pictures/loafers.svg", "", "").WantDetail(t, 502, "product-svc cannot be reached")
}
