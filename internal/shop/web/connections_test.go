package web_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// A client that holds all connections, in whatever way, keeps no other client out.
func TestOneClientCannotHoldEverything(t *testing.T) {
	const limit = 50
	for name, hold := range map[string]func(f *full) net.Conn{
		"unused":       func(f *full) net.Conn { return f.dial(hostile, "") },
		"idle":         func(f *full) net.Conn { c, _ := f.idle(hostile); return c },
		"slow headers": func(f *full) net.Conn { return f.dial(hostile, halfHeader) },
		"slow bodies":  func(f *full) net.Conn { return f.busy(hostile) },
		"slow headers of a second request": func(f *full) net.Conn {
			c, _ := f.idle(hostile)
			io.WriteString(c, halfHeader)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFull(t, limit)
			var held []net.Conn
			for range limit {
				held = append(held, hold(f))
			}
			if _, status := f.idle(hostile); status != 503 {
				t.Errorf("one more of the same client: %d", status)
			}
			f.wantClosed(held, 0)
			if status := f.status(f.dial(polite, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")); status != 200 {
				t.Errorf("a probe: %d", status)
			}
			if _, status := f.idle(polite); status != 200 {
				t.Errorf("a request: %d", status)
			}
			f.wantClosed(held, 2)
		})
	}
}

// Two clients that want all that they can get have similar shares, and leave one another
// alone then.
func TestTwoGreedyClients(t *testing.T) {
	const limit = 60
	f := newFull(t, limit)
	var first, second []net.Conn
	for range limit {
		c, _ := f.idle(hostile)
		first = append(first, c)
	}
	statuses := map[int]int{}
	for range limit {
		c, status := f.idle(polite)
		if statuses[status]++; status == 200 {
			second = append(second, c)
		}
	}
	// 40 are not twice as many as the 21 that there would be.
	if statuses[200] != 20 || statuses[503] != 40 {
		t.Errorf("answers to the second client: %v", statuses)
	}
	f.wantClosed(first, 20)
	f.wantClosed(second, 0)
}

// A client loses a connection that it does not use before one that it uses, and of several
// the one that it has not used for the longest.
func TestIdleConnectionsGoFirst(t *testing.T) {
	f := newFull(t, 10)
	var busy, idle []net.Conn
	for range 5 {
		busy = append(busy, f.busy(hostile))
	}
	for range 5 {
		c, _ := f.idle(hostile)
		idle = append(idle, c)
	}
	io.WriteString(idle[0], ordinary)
	f.status(idle[0]) // which makes idle[1] the one that waits the longest
	f.idle(polite)
	f.wantClosed(idle[1:2], 1)
	f.wantClosed(idle[2:], 0)
	f.wantClosed(idle[:1], 0)
	f.idle(third)
	f.wantClosed(busy, 0)
	for _, each := range busy {
		io.WriteString(each, "-body")
		if status := f.status(each); status != 200 {
			t.Errorf("a request that is carried out gets %d", status)
		}
	}
}

// A trusted proxy asks for many clients: it loses idle connections only. A client without
// a connection, such as a kubelet, is served nevertheless.
func TestTrustedProxy(t *testing.T) {
	const limit = 100
	f := newFull(t, limit, netip.MustParsePrefix(hostile+"/32"))
	var busy []net.Conn
	for range limit - 1 {
		busy = append(busy, f.busy(hostile))
	}
	idle := f.dial(hostile, "")
	probe, status := f.idle(polite)
	if status != 200 {
		t.Errorf("a probe: %d", status)
	}
	if _, status = f.idle(polite); status != 200 {
		t.Errorf("a second connection, for which there is an idle one: %d", status)
	}
	f.wantClosed([]net.Conn{idle}, 1)
	if _, status = f.idle(polite); status != 503 {
		t.Errorf("a third connection: %d", status)
	}
	f.wantClosed(busy, 0)
	f.wantClosed([]net.Conn{probe}, 0)
}

// Many clients at once: everything is counted right, so that afterwards there is room for
// as many connections as before.
func TestConnectionsAreCountedRight(t *testing.T) {
	const limit, clients, times = 8, 12, 30
	f := newFull(t, limit)
	done := make(chan struct{})
	for i := range clients {
		go func() {
			defer func() { done <- struct{}{} }()
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(fmt.Sprintf("127.0.1.%d", 1+i))}}
			for range times {
				if c, err := dialer.Dial("tcp", f.address); err == nil {
					io.WriteString(c, ordinary)
					c.SetReadDeadline(time.Now().Add(10 * time.Second))
					io.ReadFull(c, make([]byte, 1))
					c.Close()
				}
			}
		}()
	}
	for range clients {
		<-done
	}
	for end := time.Now().Add(10 * time.Second); strings.Contains(stacks(), "net/http.(*conn).serve"); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("connections that are closed are still served")
		}
	}
	for i := range limit + 1 {
		_, status := f.idle(hostile)
		if want := map[bool]int{true: 200, false: 503}[i < limit]; status != want {
			t.Errorf("connection %d: %d, want %d", i, status, want)
		}
	}
}
