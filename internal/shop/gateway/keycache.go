package gateway

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/token"
)

const (
	// freshFor is how long fetched keys are used without asking again.
	freshFor = 5 * time.Minute
	// usableFor is how long they are used while user-svc cannot be asked.
	usableFor = time.Hour
	// fetchPause is the least time between two fetches, whatever tokens come in.
	fetchPause = time.Second
)

// keyCache holds user-svc's public keys. It fetches them in a goroutine of its own, which
// close ends.
type keyCache struct {
	fetch func(context.Context) (token.KeySet, error)
	now   func() time.Time

	life context.Context // of fetches
	end  context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	flight  chan struct{} // closed when the running fetch ends; nil without one
	keys    map[string]ed25519.PublicKey
	fetched time.Time // when keys were fetched
	tried   time.Time // when the last fetch ended
	err     error     // of the last fetch
}

func newKeyCache(fetch func(context.Context) (token.KeySet, error)) *keyCache {
	life, end := context.WithCancel(context.Background())
	return &keyCache{fetch: fetch, now: time.Now, life: life, end: end}
}

// get returns the key with the id, or nil if user-svc does not have it. It starts to
// fetch the keys if they are old or do not include the id. It waits for the fetch only if
// the key is unknown or too old to use. An error means that user-svc did not answer.
func (c *keyCache) get(ctx context.Context, id string) (ed25519.PublicKey, error) {
	key, age, _ := c.lookUp(id)
	if key != nil && age < freshFor {
		return key, nil
	}
	done := c.refresh(ctx)
	if key != nil && age < usableFor {
		return key, nil
	}
	select {
	case <-done:
	case <-ctx.Done():
		return nil, fault.Wrap(ctx.Err(), fault.Timeout, "user-svc did not answer in time")
	}
	key, age, err := c.lookUp(id)
	if key != nil && age < usableFor {
		return key, nil
	}
	return nil, err
}

// ready returns an error if there are no usable keys and user-svc cannot provide any.
func (c *keyCache) ready(ctx context.Context) error {
	if c.usable() {
		return nil
	}
	select {
	case <-c.refresh(ctx):
	case <-ctx.Done():
		return fmt.Errorf("wait for the keys of user-svc: %w", ctx.Err())
	}
	if c.usable() {
		return nil
	}
	_, _, err := c.lookUp("")
	return errors.Join(errors.New("there are no keys of user-svc, without which no token can be verified"), err)
}

func (c *keyCache) usable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.keys) > 0 && c.now().Sub(c.fetched) < usableFor
}

// lookUp returns a key and its age, and the error of the last fetch.
func (c *keyCache) lookUp(id string) (key ed25519.PublicKey, age time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys[id], c.now().Sub(c.fetched), c.err
}

// refresh starts to fetch the keys, and returns a channel that is closed at the end.
// Requests at the same time share one fetch. There is at most one fetch within
// fetchPause, whether it succeeds or fails. The fetch belongs to the trace of the request
// that started it, but does not end with that request.
func (c *keyCache) refresh(ctx context.Context) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight != nil {
		return c.flight
	}
	done := make(chan struct{})
	recent := !c.tried.IsZero() && c.now().Sub(c.tried) < fetchPause
	if recent || c.life.Err() != nil {
		close(done)
		return done
	}
	c.flight = done
	c.work.Go(func() {
		defer close(done)
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(c.life, cancel)()
		c.store(c.fetch(ctx)) // the client bounds its time
	})
	return done
}

func (c *keyCache) store(set token.KeySet, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight, c.tried, c.err = nil, c.now(), err
	if err != nil {
		return
	}
	c.fetched, c.keys = c.tried, map[string]ed25519.PublicKey{}
	for _, k := range set.Keys {
		if key, err := k.Public(); err == nil { // The gateway cannot use other kinds of keys.
			c.keys[k.ID] = key
		}
	}
}

// close stops a running fetch and waits for its end. No fetch starts afterwards.
func (c *keyCache) close() {
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	c.work.Wait()
}
