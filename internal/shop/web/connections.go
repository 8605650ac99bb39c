package web

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// connections has the open connections of a listener, by the address of the client. When
// the limit is reached, a client that holds many connections loses one to a client that
// holds few, so that one client cannot keep all others out.
type connections struct {
	limit   int
	timeout time.Duration // of a request
	proxies []netip.Prefix

	mu      sync.Mutex
	count   int
	holders map[string]*holder // by the address of the client
}

// holder is a client and its connections.
type holder struct {
	address string
	isProxy bool
	// waiting has the connections on which no request is carried out: unused and idle ones,
	// and those whose header or body is still arriving. busy has the others. The first of a list
	// has been in it for the longest time.
	waiting, busy list.List
}

func newConnections(limit int, timeout time.Duration, proxies []netip.Prefix) *connections {
	return &connections{limit: limit, timeout: timeout, proxies: proxies, holders: map[string]*holder{}}
}

// reserve returns how many connections are served beyond the limit, for clients that have
// no other connection. A kubelet's probe is served there when a trusted proxy, which loses
// no busy connection, holds all others.
func (cs *connections) reserve() int { return cs.limit / 100 }

// admit returns the connection to serve, or nil if it cannot be served now. It may close a
// connection of another client to make room.
func (cs *connections) admit(accepted *net.TCPConn) *conn {
	address := accepted.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	cs.mu.Lock()
	defer cs.mu.Unlock()
	name := network(address)
	client := cs.holders[name]
	if client == nil {
		client = &holder{address: name, isProxy: contains(cs.proxies, address)}
	}
	if !cs.makeRoom(client.count()) {
		return nil
	}
	c := &conn{TCPConn: accepted, all: cs, client: client}
	c.place = client.waiting.PushBack(c)
	cs.holders[name] = client
	cs.count++
	return c
}

// makeRoom reports whether a client that holds so many connections may have one more.
func (cs *connections) makeRoom(held int) bool {
	if cs.count < cs.limit || held == 0 && cs.count < cs.limit+cs.reserve() {
		return true
	}
	largest := cs.largest()
	// Clients that hold similar numbers of connections must not take turns in closing each
	// other's.
	if largest == nil || largest.count() < 2*(held+1) {
		return false
	}
	victim := cs.leastNeeded(largest)
	cs.remove(victim)
	victim.TCPConn.Close() // Nothing can be done about an error: the client is gone.
	return true
}

// largest returns the client that holds the most connections, or nil. It leaves out clients
// that lose none.
func (cs *connections) largest() *holder {
	var largest *holder
	for _, each := range cs.holders {
		if cs.leastNeeded(each) != nil && (largest == nil || each.count() > largest.count()) {
			largest = each
		}
	}
	return largest
}

// remove takes a connection out of the lists. It does nothing if the connection is in none.
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
	c.isBusy, c.since = isBusy, time.Now()
	c.place = c.client.listOf(isBusy).PushBack(c)
}

func (h *holder) count() int { return h.waiting.Len() + h.busy.Len() }

func (h *holder) listOf(isBusy bool) *list.List {
	if isBusy {
		return &h.busy
	}
	return &h.waiting
}

// leastNeeded returns the connection that the client loses first, or nil if it loses none.
// A busy one is lost only after the time that a request may take: its client does not read
// the answer. The address may be that of many clients, whose
// ordinary requests are not to be lost. A trusted proxy's is, and it loses no busy one.
func (cs *connections) leastNeeded(h *holder) *conn {
	if first := h.waiting.Front(); first != nil {
		return first.Value.(*conn)
	}
	if first := h.busy.Front(); first != nil && !h.isProxy {
		if c := first.Value.(*conn); time.Since(c.since) > cs.timeout {
			return c
		}
	}
	return nil
}
