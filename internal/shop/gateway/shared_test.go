package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/koshop/koshop/internal/shop/fault"
)

// counted fetches the number of the fetch, which takes a second.
type counted struct {
	shared[int]
	fetches int
}

func (c *counted) ask(ctx context.Context, key string) (int, error) {
	n, _, err := c.get(ctx, key, func(ctx context.Context) (int, error) {
		c.fetches++
		n := c.fetches
		time.Sleep(time.Second)
		return n, ctx.Err()
	})
	return n, err
}

func TestRequestsAtTheSameTimeShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			c   counted
			all sync.WaitGroup
		)
		for range 20 {
			all.Go(func() {
				if n, err := c.ask(t.Context(), "list"); n != 1 || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			})
		}
		synctest.Wait()
		if n, err := c.ask(t.Context(), "other"); n != 2 || err != nil {
			t.Errorf("another key: %d, %v", n, err)
		}
		all.Wait()
		if n, err := c.ask(t.Context(), "list"); n != 3 || err != nil {
			t.Errorf("later: %d, %v", n, err)
		}
	})
}

func TestAFetchOutlivesItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c counted
		first, leave := context.WithCancel(t.Context())
		go func() { _, _ = c.ask(first, "list") }() // The request is canceled; its result does not matter.
		synctest.Wait()
		leave()
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := c.ask(hurried, "list"); !fault.Is(err, fault.Timeout) {
			t.Errorf("a request without time: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.ask(gone, "list"); !errors.Is(err, context.Canceled) {
			t.Errorf("a canceled request: %v", err)
		}
		if n, err := c.ask(t.Context(), "list"); n != 1 || err != nil {
			t.Errorf("a waiting request: %d, %v", n, err)
		}
	})
}
