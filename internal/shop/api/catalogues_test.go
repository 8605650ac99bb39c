package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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
		{[]string{"public, Max-Age=\"1\""}, "", time.Second},
		{[]string{"max-age=60"}, "", time.Second},
		{[]string{"public", "max-age=60"}, "59", time.Second},
		{[]string{"max-age=60"}, "60", 0},
		{[]string{"private, max-age=60"}, "", 0},
		{[]string{"max-age=60", "Private=\"x\""}, "", 0},
		{[]string{"max-age=60"}, "61", 0},
		{[]string{"max-age=60", "no-cache"}, "", 0},
		{[]string{"no-store, max-age=60"}, "", 0},
		{[]string{"max-age"}, "", 0},
		{[]string{"max-age=-1"}, "", 0},
		{[]string{"s-maxage=60"}, "", 0},
		{[]string{"max-age=99999999999999999999"}, "", time.Second},
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
	began := time.Now()
	for _, carried := range []string{"", "attendee=ada", "", "attendee=ada", "attendee=bob", ""} {
		got, err := products.All(baggage.With(t.Context(), carried))
		if err != nil || len(got) != 1 || got[0].ID != "of "+carried {
			t.Errorf("%q: %+v, %v", carried, got, err)
		}
	}
	wasSlow := time.Since(began) >= maxFresh
	if len(asked) < 3 || len(asked) > 3 && !wasSlow {
		t.Errorf("asked for %q", asked)
	}
	if _, ok := products.catalogues.fresh("", began); !ok && !wasSlow {
		t.Error("it is not fresh at first")
	}
	if _, ok := products.catalogues.fresh("", time.Now().Add(maxFresh)); ok {
		t.Error("it is still fresh when its time is over")
	}
}

// A request sends the ETag of a catalogue only if that came for the same baggage: two
// versions of product-svc may give different catalogues one ETag.
func TestAnETagIsSentForItsBaggageOnly(t *testing.T) {
	var sent []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("If-None-Match"))
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprintf(w, `[{"id":"of %s"}]`, r.Header.Get("Baggage"))
	}))
	t.Cleanup(srv.Close)
	products := NewProducts(shoptest.URL(t, srv.URL))
	t.Cleanup(products.Close)
	for _, carried := range []string{"", "attendee=ada", "", "attendee=ada"} {
		got, err := products.All(baggage.With(t.Context(), carried))
		if err != nil || len(got) != 1 || got[0].ID != "of "+carried {
			t.Errorf("%q: %+v, %v", carried, got, err)
		}
	}
	if want := []string{"", "", `"1"`, `"1"`}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
}
