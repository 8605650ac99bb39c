package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// Without Cache-Control, the catalogue is always that of now. It is decoded once for each
// ETag.
func TestTheCatalogueIsAskedForEachTime(t *testing.T) {
	var etag, body string
	sent := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		if etag != "" && r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	products := api.NewProducts(shoptest.URL(t, srv.URL))
	t.Cleanup(products.Close)
	for i, step := range []struct {
		etag, body string
		want       string // the id of the one product; "" for a failure
		sent       int
	}{
		{`"1"`, `[{"id":"a"}]`, "a", 1}, {`"1"`, `[{"id":"a"}]`, "a", 1}, {`"2"`, `[{"id":"b"}]`, "b", 2}, {`"1"`, `[{"id":"a"}]`, "a", 3},
		{``, `[{"id":"c"}]`, "c", 4}, {``, `[{"id":"d"}]`, "d", 5}, {`"1"`, `[{"id":"a"}]`, "a", 5}, {`"3"`, `{}`, "", 6}, {`"1"`, `[{"id":"a"}]`, "a", 6},
	} {
		etag, body = step.etag, step.body
		got, err := products.All(t.Context())
		if step.want == "" {
			if !fault.Is(err, fault.Upstream) {
				t.Errorf("step %d: %+v, %v", i, got, err)
			}
		} else if err != nil || len(got) != 1 || got[0].ID != step.want {
			t.Errorf("step %d: %+v, %v; want %s", i, got, err, step.want)
		}
		if sent != step.sent {
			t.Errorf("step %d: the catalogue was sent %d times, want %d", i, sent, step.sent)
		}
	}
}
