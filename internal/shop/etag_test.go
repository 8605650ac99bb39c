package shop_test

import (
	"net/http"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// getIf sends a GET with a condition and returns the answer's status, headers and length.
func getIf(t *testing.T, url, condition string) (status int, header http.Header, length int64) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if condition != "" {
		request.Header.Set("If-None-Match", condition)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header, response.ContentLength
}

// A client that has the catalogue does not get it again, from either of the two services.
func TestETagsOfTheCatalogue(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	seen := map[string]string{}
	for path, cache := range map[string]string{"/products": "max-age=1", "/products/L9ECAV7KIM": "no-cache", "/products/category/clothing": "no-cache", "/products/search/sunglas": "no-cache"} {
		_, behind, _ := getIf(t, s.products.URL()+path, "")
		for _, base := range []string{s.products.URL(), s.gateway.URL() + "/api/v1"} {
			status, header, length := getIf(t, base+path, "")
			tag := header.Get("ETag")
			if status != 200 || length == 0 || len(tag) != 34 || tag[0] != '"' || tag != behind.Get("ETag") || header.Get("Cache-Control") != cache {
				t.Fatalf("%s: %d %v", path, status, header)
			}
			for _, has := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
				if status, header, length := getIf(t, base+path, has); status != 304 || length > 0 || header.Get("ETag") != tag || header.Get("Server-Timing") == "" {
					t.Errorf("%s, %s: %d %v", path, has, status, header)
				}
			}
			for _, other := range []string{`"other"`, tag[1:33], `W/"other"`, tag[:20] + `"`} {
				if status, _, _ := getIf(t, base+path, other); status != 200 {
					t.Errorf("%s, %s: %d", path, other, status)
				}
			}
			if same, ok := seen[tag]; ok && same != path {
				t.Errorf("%s and %s have the same ETag", path, same)
			}
			seen[tag] = path
			if vary := header.Get("Vary"); (vary == "Baggage") != (base != s.products.URL()) {
				t.Errorf("%s%s: Vary %q", base, path, vary)
			}
		}
	}
	shoptest.Do(t, "GET", s.gateway.URL()+"/openapi.json", "", "").Want(t, 200)
	if status, header, _ := getIf(t, s.gateway.URL()+"/api/v1/products/NOPE", "*"); status != 404 || header.Get("ETag") != "" {
		t.Errorf("a product that is not there: %d %v", status, header)
	}
}
