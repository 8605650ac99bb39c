package shop_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// The gateway shows products byte for byte as product-svc does, refusals included.
func TestProductsArePassedOn(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	for _, path := range []string{"/products", "/products/L9ECAV7KIM", "/products/category/kitchen", "/products/search/sunglas", "/products/NOPE", "/products/category/cars", "/products/search/zzzz"} {
		direct := shoptest.Do(t, "GET", s.products.URL()+path, "", "")
		passed := shoptest.Do(t, "GET", s.gateway.URL()+"/api/v1"+path, "", "")
		if passed.Status != direct.Status || passed.Body != direct.Body || passed.Header.Get("Content-Type") != direct.Header.Get("Content-Type") {
			t.Errorf("%s: %d %s\nwant %d %s", path, passed.Status, passed.Body, direct.Status, direct.Body)
		}
	}
}

// A client that has an answer gets it again only if it has changed.
func TestKnownProductsAreNotSentAgain(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v2"`)
		w.Header().Set("Cache-Control", "no-cache")
		if r.Header.Get("If-None-Match") == `"v2"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `[{"id":"x"}]`)
	}))
	t.Cleanup(behind.Close)
	gateway := shoptest.Start(t, s.gatewayWith(t, "product-svc", behind.URL))
	for known, want := range map[string]int{"": 200, `"v1"`: 200, `"v2"`: 304, strings.Repeat("x", 5000): 200} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", gateway+"/api/v1/products/category/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if known != "" {
			request.Header.Set("If-None-Match", known)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != want || answer.Header.Get("Etag") != `"v2"` || answer.Header.Get("Cache-Control") != "no-cache" || (want == 304) != (len(body) == 0) {
			t.Errorf("%.20q: %d %v %s, %v", known, answer.StatusCode, answer.Header, body, err)
		}
	}
}

// What is no answer of product-svc is not passed on, whatever its status says.
func TestForeignAnswersAreNotPassedOn(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	for body, status := range map[string]int{"<html>a proxy's page</html>": 200, "": 200, `[{"id":`: 200, "[]": 304, "<h1>": 404, "moved": 302} {
		behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			if status != http.StatusNotModified {
				io.WriteString(w, body)
			}
		}))
		gateway := s.gatewayWith(t, "product-svc", behind.URL)
		shoptest.Do(t, "GET", shoptest.Start(t, gateway)+"/api/v1/products", "", "").WantDetail(t, 502, "product-svc failed")
		behind.Close()
	}
}
