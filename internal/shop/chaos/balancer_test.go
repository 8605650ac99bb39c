//go:build linux

package chaos

import (
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// odds are how often something happens to a request, from 0 to 1.
type odds struct {
	lose    float64       // it is carried out, and its answer is lost
	drop    float64       // its connection breaks before it is carried out
	stray   float64       // somebody else answers 404
	delay   float64       // it is late
	longest time.Duration // by at most so much
}

// mostInARow bounds how many faults an attempt to mark an order paid has in a row,
// so that a request which repeats it comes to an end.
const mostInARow = 2

// balancer stands before the replicas of a service, as a Service of Kubernetes
// does, on a network that loses things.
type balancer struct {
	url      string
	replicas []*process
	// marking are the odds of requests that change a paid order, others those of the
	// rest. A stray 404 comes only after an attempt whose answer was lost.
	marking, others odds
	faults          atomic.Int64 // how many there were

	mu     sync.Mutex
	random *rand.Rand
	inARow map[string]int // faults of the latest attempts, by the request
}

// newBalancer returns a balancer that is up until the test ends.
func newBalancer(t *testing.T, random *rand.Rand, replicas ...*process) *balancer {
	b := &balancer{replicas: replicas, random: random, inARow: map[string]int{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", b.choose().host()
		},
		Transport:    &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 2 * time.Second},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.serve(proxy, w, r) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	b.url = srv.URL
	return b
}

func (b *balancer) choose() *process {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.replicas[b.random.IntN(len(b.replicas))]
}

// fault is what happens to one request.
type fault int

const (
	none fault = iota
	lose
	drop
	stray
)

func (b *balancer) serve(proxy http.Handler, w http.ResponseWriter, r *http.Request) {
	what, late := b.decide(r)
	if what != none {
		b.faults.Add(1)
	}
	select {
	case <-time.After(late):
	case <-r.Context().Done():
	}
	switch what {
	case none:
		proxy.ServeHTTP(w, r)
	case lose:
		proxy.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case drop:
		panic(http.ErrAbortHandler)
	case stray:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"detail":"Not Found"}`) // The client may have gone.
	}
}

func (b *balancer) decide(r *http.Request) (what fault, late time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	marks := r.Method == http.MethodPatch
	o, request := b.others, r.URL.RequestURI()
	if marks {
		o = b.marking
	}
	if b.random.Float64() < o.delay {
		late = time.Duration(b.random.Int64N(int64(o.longest)))
	}
	before, dice := b.inARow[request], b.random.Float64()
	switch {
	case marks && before == mostInARow:
	case marks && before > 0 && dice < o.stray:
		what = stray
	case dice < o.lose:
		what = lose
	case dice < o.lose+o.drop:
		what = drop
	}
	switch {
	case !marks:
	case what == none:
		delete(b.inARow, request)
	case what != drop:
		b.inARow[request]++
	}
	return what, late
}
