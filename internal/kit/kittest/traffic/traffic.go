// Package traffic sends requests and streams of all kinds to a server, without a pause,
// and counts what fails: none may while one version of the server takes over from
// another. Its server is in directory program.
package traffic

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Traffic runs until it is stopped.
type Traffic struct {
	address string
	stop    context.CancelFunc
	clients sync.WaitGroup

	mu       sync.Mutex
	done     map[string]int
	failures []string
	cut      int // connections for HTTP/1 requests
}

// kinds are what is sent: one exchange each, which ctx does not end.
var kinds = map[string]func(*Traffic) func(context.Context) error{
	"HTTP/1 request":      (*Traffic).http1,
	"slow HTTP/1 request": (*Traffic).slow,
	"HTTP/1 upload":       (*Traffic).upload,
	"h2c request":         (*Traffic).http2,
	"server-sent events":  (*Traffic).events,
	"WebSocket":           (*Traffic).socket,
	"gRPC stream":         (*Traffic).grpc,
}

// pause is between the exchanges of one client. The machine has two cores for all of it.
const pause = 5 * time.Millisecond

// Start begins to send to an address, HOST:PORT, with a client of each kind.
func Start(t testing.TB, address string) *Traffic {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	f := &Traffic{address: address, stop: stop, done: map[string]int{}}
	for kind, client := range kinds {
		f.clients.Go(func() { f.run(ctx, kind, client(f)) })
	}
	t.Cleanup(f.end)
	return f
}

func (f *Traffic) run(ctx context.Context, kind string, exchange func(context.Context) error) {
	for ctx.Err() == nil {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		began := time.Now()
		err := exchange(bounded)
		cancel()
		f.mu.Lock()
		f.done[kind]++
		if err != nil {
			f.failures = append(f.failures, fmt.Sprintf("%s, begun at %s, after %v: %v", kind, began.Format("15:04:05.000"), time.Since(began), err))
		}
		f.mu.Unlock()
		time.Sleep(pause)
	}
}

func (f *Traffic) end() {
	f.stop()
	f.clients.Wait()
}

// Stop waits for what is in flight, and fails the test if anything has failed, if a
// kind of traffic was never through, or if a kept connection was cut.
func (f *Traffic) Stop(t testing.TB) {
	t.Helper()
	f.end()
	f.mu.Lock() // Connections may still be closed.
	defer f.mu.Unlock()
	for _, failure := range f.failures[:min(len(f.failures), 20)] {
		t.Error(failure)
	}
	var counts []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		counts = append(counts, fmt.Sprintf("%d × %s", f.done[kind], kind))
		if f.done[kind] == 0 {
			t.Errorf("no %s was tried", kind)
		}
	}
	t.Logf("%d failures; %s", len(f.failures), strings.Join(counts, ", "))
	if f.cut > 0 {
		t.Errorf("%d connections for HTTP/1 requests were cut", f.cut)
	}
}
