package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/koshop/koshop/internal/shop/fault"
)

// shared fetches a value once for all requests that need it at the same time. It stores
// nothing: a later request starts a new fetch. Its methods may be called at the same
// time.
type shared[V any] struct {
	mu      sync.Mutex
	flights map[string]*flight[V]
}

// flight is a fetch under way.
type flight[V any] struct {
	done  chan struct{} // closed at the end
	value V
	err   error
}

// get returns the value of the key. It calls fetch, or waits for another call's fetch of
// the same key and reports that it shared the value. The fetch does not end with the
// request that started it, because other requests may wait for it. It has to limit its own
// time.
func (s *shared[V]) get(ctx context.Context, key string, fetch func(context.Context) (V, error)) (value V, isShared bool, err error) {
	f, isMine := s.join(key)
	if isMine {
		defer s.end(key, f)
		f.value, f.err = fetch(context.WithoutCancel(ctx))
		return f.value, false, f.err
	}
	select {
	case <-f.done:
		return f.value, true, f.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return value, true, fault.Wrap(ctx.Err(), fault.Timeout, "The service behind did not answer in time")
		}
		return value, true, fmt.Errorf("wait for an answer: %w", ctx.Err())
	}
}

// join returns the flight of the key, and whether it has just begun.
func (s *shared[V]) join(key string) (f *flight[V], isMine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.flights[key]; ok {
		return f, false
	}
	if s.flights == nil {
		s.flights = map[string]*flight[V]{}
	}
	// The waiting requests get this error if the fetch panics.
	f = &flight[V]{done: make(chan struct{}), err: errors.New("the fetch did not end")}
	s.flights[key] = f
	return f, true
}

func (s *shared[V]) end(key string, f *flight[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flights, key)
	close(f.done)
}
