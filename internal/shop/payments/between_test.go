package payments

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"

	"github.com/koshop/koshop/internal/shop/shoptest"
)

// step is what happens to one attempt to mark an order paid.
type step int

const (
	pass     step = iota
	lose          // orders-svc does it, and its answer is lost
	stray         // another server answers 404, as an intercepted orders-svc or a wrong route
	odd           // orders-svc answers with a 4xx that it never gives
	conflict      // orders-svc answers that another payment came first
)

// between stands between payments-svc and orders-svc, and does something to the
// attempts to mark orders paid.
type between struct {
	url string
	// next says what happens to an attempt for the order. It may wait.
	next func(order string) step

	mu    sync.Mutex
	tried map[string]int // attempts for each order
}

func newBetween(t *testing.T, ordersURL string, next func(order string) step) *between {
	b := &between{next: next, tried: map[string]int{}}
	proxy := httputil.NewSingleHostReverseProxy(shoptest.URL(t, ordersURL))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPatch {
			proxy.ServeHTTP(w, r)
			return
		}
		order := strings.Split(r.URL.Path, "/")[2]
		b.mu.Lock()
		b.tried[order]++
		b.mu.Unlock()
		answer := func(status int, detail string) {
			w.WriteHeader(status)
			if _, err := io.WriteString(w, `{"detail":"`+detail+`"}`); err != nil {
				t.Error(err)
			}
		}
		switch b.next(order) {
		case pass:
			proxy.ServeHTTP(w, r)
		case lose:
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case stray:
			answer(http.StatusNotFound, "Not Found")
		case odd:
			answer(http.StatusForbidden, "not today")
		case conflict:
			answer(http.StatusConflict, "Already Paid")
		}
	}))
	t.Cleanup(srv.Close)
	b.url = srv.URL
	return b
}

// attempts returns how many attempts to mark the order paid there were.
func (b *between) attempts(order string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tried[order]
}

// steps returns a function for between: first these, then pass.
func steps(first ...step) func(string) step {
	var mu sync.Mutex
	return func(string) step {
		mu.Lock()
		defer mu.Unlock()
		if len(first) == 0 {
			return pass
		}
		next := first[0]
		first = first[1:]
		return next
	}
}
