package web

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// connections are those that a listener has accepted and that are still open, by the
// address of the client. When they are as many as allowed, a client that holds many loses
// one to a client that holds few: one client alone cannot keep all others out.
type connections struct {
	limit   int
	proxies []netip.Prefix

	mu      sync.Mutex
	count   int
	holders map[string]*holder // by the address of the client
}

// holder is a client and its connections.
type holder struct {
	address string
	isProxy bool
	// waiting has the connections on which no request is carried out, busy the others.
	// Both are in order of time: the first has been there for the longest.
	waiting, busy list.List
}

func newConnections(limit int, proxies []netip.Prefix) *connections {
	return &connections{limit: limit, proxies: proxies, holders: map[string]*holder{}}
}

// reserve returns how many connections there may be beyond the limit, each of a client
// that has no other one. A kubelet's probe finds a place there when all others are held by
// a trusted proxy, which loses none that is busy.
func (cs *connections) reserve() int { return cs.limit / 100 }

// admit returns the connection to serve, nil if there is no place for it. It may close
// another one to make place.
func (cs *connections) admit(accepted *net.TCPConn) *conn {
	address := accepted.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	cs.mu.Lock()
	defer cs.mu.Unlock()
	name := network(address)
	client := cs.holders[name]
	if client == nil {
		client = &holder{address: name, isProxy: contains(cs.proxies, address)}
	}
	if !cs.makePlace(client.count()) {
		return nil
	}
	c := &conn{TCPConn: accepted, all: cs, client: client}
	c.place = client.waiting.PushBack(c)
	cs.holders[name] = client
	cs.count++
	return c
}

// makePlace reports whether a client that holds so many connections may have one more.
func (cs *connections) makePlace(held int) bool {
	if cs.count < cs.limit || held == 0 && cs.count < cs.limit+cs.reserve() {
		return true
	}
	largest := cs.largest()
	// A holder of nearly the same number would soon take the place back: the two would
	// cut off one another's requests.
	if largest == nil || largest.count() < 2*(held+1) {
		return false
	}
	victim := largest.leastNeeded()
	cs.remove(victim)
	victim.TCPConn.Close() // Nothing can be done about an error: the client is gone.
	return true
}

// largest returns the client that holds the most connections among those that have one to
// lose, nil if none has.
func (cs *connections) largest() *holder {
	var largest *holder
	for _, each := range cs.holders {
		if each.leastNeeded() != nil && (largest == nil || each.count() > largest.count()) {
			largest = each
		}
	}
	return largest
}

// remove forgets an open connection; of one that it has forgotten it knows nothing.
func (cs *connections) remove(c *conn) {
	if c.place == nil {
		return
	}
	c.client.listOf(c.isBusy).Remove(c.place)
	c.place = nil
	cs.count--
	if c.client.count() == 0 {
		delete(cs.holders, c.client.address)
	}
}

// setBusy notes whether a request is carried out on the connection.
func (cs *connections) setBusy(c *conn, isBusy bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.place == nil {
		return
	}
	c.client.listOf(c.isBusy).Remove(c.place)
	c.isBusy = isBusy
	c.place = c.client.listOf(isBusy).PushBack(c)
}

func (h *holder) count() int { return h.waiting.Len() + h.busy.Len() }

func (h *holder) listOf(isBusy bool) *list.List {
	if isBusy {
		return &h.busy
	}
	return &h.waiting
}

// leastNeeded returns the connection that the client loses first, nil if it loses none: a
// proxy that is trusted asks for many clients, so that none of its requests is cut off.
func (h *holder) leastNeeded() *conn {
	first := h.waiting.Front()
	if first == nil && !h.isProxy {
		first = h.busy.Front()
	}
	if first == nil {
		return nil
	}
	return first.Value.(*conn)
}
