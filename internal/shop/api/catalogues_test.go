package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/baggage"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func TestFreshFor(t *testing.T) {
	for _, tc := range []struct {
		cache []string
		age   string
		want  time.Duration
	}{
		{nil, "", 0},
		{[]string{"max-age=1"}, "", time.Second},
		{[]string{"public, Max-Age=\"60\""}, "", time.Minute},
		{[]string{"public", "max-age=60"}, "20", 40 * time.Second},
		{[]string{"max-age=60"}, "61", 0},
		{[]string{"max-age=60", "no-cache"}, "", 0},
		{[]string{"no-store, max-age=60"}, "", 0},
		{[]string{"max-age"}, "", 0},
		{[]string{"max-age=-1"}, "", 0},
		{[]string{"s-maxage=60"}, "", 0},
		{[]string{"max-age=99999999999999999999"}, "", (1<<31 - 1) * time.Second},
	} {
		if got := freshFor(http.Header{"Cache-Control": tc.cache, "Age": {tc.age}}); got != tc.want {
			t.Errorf("%q, age %q: %v, want %v", tc.cache, tc.age, got, tc.want)
		}
	}
}

// A catalogue is asked for again when it is no longer fresh, and for each baggage.
func TestAFreshCatalogueIsStored(t *testing.T) {
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Baggage"))
		w.Header().Set("Cache-Control", "max-age=100")
		fmt.Fprintf(w, `[{"id":"of %s"}]`, r.Header.Get("Baggage"))
	}))
	t.Cleanup(srv.Close)
	products := NewProducts(shoptest.URL(t, srv.URL))
	t.Cleanup(products.Close)
	for _, carried := range []string{"", "attendee=ada", "", "attendee=ada", "attendee=bob", ""} {
		got, err := products.All(baggage.With(t.Context(), carried))
		if err != nil || len(got) != 1 || got[0].ID != "of "+carried {
			t.Errorf("%q: %+v, %v", carried, got, err)
		}
	}
	if len(asked) != 3 {
		t.Errorf("asked for %q", asked)
	}
	now := time.Now()
	if _, ok := products.catalogues.fresh("", now.Add(90*time.Second)); !ok {
		t.Error("it is no longer fresh after 90 s")
	}
	if _, ok := products.catalogues.fresh("", now.Add(100*time.Second)); ok {
		t.Error("it is still fresh after 100 s")
	}
}
