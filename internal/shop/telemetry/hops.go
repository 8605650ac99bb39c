package telemetry

import (
	"context"
	"slices"
	"sync"

	"github.com/koshop/koshop/internal/shop/telemetry/servertiming"
)

// hops are the entries of Server-Timing of the services that a request has called, in
// the order of the calls.
type hops struct {
	mu    sync.Mutex
	calls [][]servertiming.Entry
}

type hopsKey struct{}

// begin keeps a place for a call. The function that it returns fills it in.
func (h *hops) begin() func([]servertiming.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	place := len(h.calls)
	if place >= servertiming.MaxEntries {
		return func([]servertiming.Entry) {}
	}
	h.calls = append(h.calls, nil)
	return func(entries []servertiming.Entry) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls[place] = entries
	}
}

// entries returns what is known by now.
func (h *hops) entries() []servertiming.Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Concat(h.calls...)
}

// beginCall keeps a place for a call on behalf of the context's request, if it has one.
func beginCall(ctx context.Context) func([]servertiming.Entry) {
	if h, ok := ctx.Value(hopsKey{}).(*hops); ok {
		return h.begin()
	}
	return func([]servertiming.Entry) {}
}
