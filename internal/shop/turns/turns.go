// Package turns gives a few slots to many clients, in turn: a client that asks often waits
// longer, and takes nothing from those that ask once. Clients that are preferred have every
// second slot among them, however many others there are.
package turns

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrTooMany is returned when too many calls of the client wait already.
var ErrTooMany = errors.New("too many calls of the client wait")

// Turns has slots for clients in turn, and within a client for its subjects in turn: many
// people may come from the same address. Its methods may be called at the same time.
type Turns struct {
	mu           sync.Mutex
	free         int // slots that are not taken
	maxOfClient  int // how many may wait of one client
	maxOfSubject int // how many of them for one subject
	stats        Stats
	// clients are those that wait: the ordinary ones, and the preferred ones. The next slot is
	// for those at turn, if any of them wait.
	clients [2]rotation[*client]
	turn    int
}

// Line is where a caller waits.
type Line struct {
	Client, Subject string
	IsPreferred     bool
}

// rotation returns the index of the line's clients in Turns.
func (l Line) rotation() int {
	if l.IsPreferred {
		return 1
	}
	return 0
}

// client is one that waits.
type client struct {
	waiting  int
	subjects rotation[*[]waiter]
}

// waiter is closed when it has a slot.
type waiter chan struct{}

// Stats is how things stand.
type Stats struct {
	Taken   int // slots
	Waiting int
	Refused int // since the beginning
}

// Stats returns how things stand now.
func (t *Turns) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// New returns turns for so many slots. It bounds how many of one client may wait, and
// how many of them for one subject.
func New(slots, maxOfClient, maxOfSubject int) *Turns {
	return &Turns{free: slots, maxOfClient: maxOfClient, maxOfSubject: maxOfSubject}
}

// Take waits for a slot, which must be given back. It fails at once with [ErrTooMany],
// and with the context's error when that ends.
func (t *Turns) Take(ctx context.Context, at Line) (giveBack func(), err error) {
	w, err := t.wait(at)
	if err != nil {
		return nil, err
	}
	select {
	case <-w:
		return sync.OnceFunc(t.giveBack), nil
	case <-ctx.Done():
		t.leave(at, w)
		return nil, ctx.Err()
	}
}

// wait begins to wait, or takes a slot that is free.
func (t *Turns) wait(at Line) (waiter, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := make(waiter)
	if t.free > 0 {
		t.free--
		t.stats.Taken++
		close(w)
		return w, nil
	}
	c := t.clients[at.rotation()].get(at.Client, func() *client { return &client{} })
	if c.waiting >= t.maxOfClient {
		t.stats.Refused++
		return nil, ErrTooMany
	}
	line := c.subjects.get(at.Subject, func() *[]waiter { return &[]waiter{} })
	if len(*line) >= t.maxOfSubject {
		t.stats.Refused++
		return nil, ErrTooMany
	}
	c.waiting++
	t.stats.Waiting++
	*line = append(*line, w)
	return w, nil
}

// leave gives up waiting. A slot that came at that moment goes to the next one.
func (t *Turns) leave(at Line, w waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-w:
		t.next()
		return
	default:
	}
	clients := &t.clients[at.rotation()]
	c := clients.items[at.Client]
	c.waiting--
	t.stats.Waiting--
	line := c.subjects.items[at.Subject]
	*line = slices.DeleteFunc(*line, func(other waiter) bool { return other == w })
	if len(*line) == 0 {
		c.subjects.remove(at.Subject)
	}
	if c.waiting == 0 {
		clients.remove(at.Client)
	}
}

func (t *Turns) giveBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next()
}

// next gives a slot to the waiter whose turn it is.
func (t *Turns) next() {
	isLast := func(c *client) bool { return c.waiting == 1 }
	t.turn = 1 - t.turn
	c, ok := t.clients[1-t.turn].next(isLast)
	if !ok {
		c, ok = t.clients[t.turn].next(isLast)
	}
	if !ok {
		t.free++
		t.stats.Taken--
		return
	}
	c.waiting--
	t.stats.Waiting--
	line, _ := c.subjects.next(func(line *[]waiter) bool { return len(*line) == 1 })
	close((*line)[0])
	*line = (*line)[1:]
}

// rotation is a map whose keys come in turn.
type rotation[V any] struct {
	items map[string]V
	order []string
}

// get returns the value of a key, which is made and comes last if it is new.
func (r *rotation[V]) get(key string, made func() V) V {
	value, ok := r.items[key]
	if !ok {
		if r.items == nil {
			r.items = map[string]V{}
		}
		value = made()
		r.items[key] = value
		r.order = append(r.order, key)
	}
	return value
}

// next returns the value whose turn it is. It comes again, unless this is its last turn.
func (r *rotation[V]) next(isLast func(V) bool) (value V, ok bool) {
	if len(r.order) == 0 {
		return value, false
	}
	key := r.order[0]
	value = r.items[key]
	r.order = r.order[1:]
	if isLast(value) {
		delete(r.items, key)
	} else {
		r.order = append(r.order, key)
	}
	return value, true
}

func (r *rotation[V]) remove(key string) {
	delete(r.items, key)
	r.order = slices.DeleteFunc(r.order, func(other string) bool { return other == key })
}
