package route

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// patience is how long a request waits for an endpoint: a process that
	// starts or restarts is often that close to being ready.
	patience = 2 * time.Second
	// redialPause is the time between attempts to reach an endpoint.
	redialPause = 20 * time.Millisecond
)

// errNotReady is the answer of a pool that has had no endpoint for too long.
var errNotReady = errors.New("no endpoint is ready")

// Pool is the endpoints behind one port of a Service.
type Pool struct {
	name string

	mu        sync.Mutex
	endpoints []*Endpoint
	next      int           // index of the endpoint whose turn it is
	replaced  chan struct{} // closed when the endpoints are replaced
	patience  time.Duration
	gaveUp    chan struct{} // closed when nothing waits for an endpoint any more
	explain   func() string
}

// NewPool returns a pool without endpoints. The name is for messages.
func NewPool(name string) *Pool {
	return &Pool{
		name:     name,
		replaced: make(chan struct{}),
		patience: patience,
		gaveUp:   make(chan struct{}),
		explain:  func() string { return name + " is not ready" },
	}
}

// GiveUp has no request wait for an endpoint any more: none will come. It must be called
// once.
func (p *Pool) GiveUp() { close(p.gaveUp) }

// WaitFor has requests wait for an endpoint for d, instead of two seconds.
// It must be called before the pool is used.
func (p *Pool) WaitFor(d time.Duration) *Pool {
	p.patience = d
	return p
}

// Set replaces the endpoints. Requests that are in flight to one that was
// dropped go on; see [Endpoint.Retire].
func (p *Pool) Set(endpoints []*Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endpoints = endpoints
	close(p.replaced)
	p.replaced = make(chan struct{})
}

// Explain sets what a client is told while there is no endpoint, such as
// "payments-svc is not ready: it does not compile".
func (p *Pool) Explain(explain func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.explain = explain
}

func (p *Pool) explanation() string {
	p.mu.Lock()
	explain := p.explain
	p.mu.Unlock()
	return explain()
}

// doesNotAnswer is what a client is told whose request got no answer.
func (p *Pool) doesNotAnswer(err error) string {
	return fmt.Sprintf("%s does not answer: %v", p.name, err)
}

// reach calls connect with endpoints in turn until it does something else than
// failing to dial, and returns the last error. It waits for an endpoint if there
// is none. The endpoint, unless it is nil, must be released.
func (p *Pool) reach(ctx context.Context, connect func(*Endpoint) error) (*Endpoint, error) {
	wait, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	for {
		endpoint, err := p.claim(wait)
		if err != nil {
			return nil, err
		}
		err = connect(endpoint)
		if !isDialError(err) || wait.Err() != nil {
			return endpoint, err
		}
		endpoint.release()
		select {
		case <-time.After(redialPause):
		case <-p.gaveUp:
			return nil, errNotReady
		case <-wait.Done():
		}
	}
}

// claim returns an endpoint that counts this use, and waits for one to arrive
// until ctx ends.
func (p *Pool) claim(ctx context.Context) (*Endpoint, error) {
	for {
		endpoint, replaced := p.pick()
		if endpoint != nil {
			return endpoint, nil
		}
		select {
		case <-replaced:
		case <-p.gaveUp:
			return nil, errNotReady
		case <-ctx.Done():
			return nil, errNotReady
		}
	}
}

// pick claims the endpoint whose turn it is. If none can be claimed, it returns
// what is closed once there are others.
func (p *Pool) pick() (*Endpoint, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range p.endpoints {
		p.next = (p.next + 1) % len(p.endpoints)
		if endpoint := p.endpoints[p.next]; endpoint.claim() {
			return endpoint, nil
		}
	}
	return nil, p.replaced
}

// isDialError reports whether a connection was never made: nothing of a request
// has been sent.
func isDialError(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && failed.Op == "dial"
}
