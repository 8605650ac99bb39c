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

// Other clients are served while one client holds all connections.
func TestOneClientCannotHoldEverything(t *testing.T) {
	const limit = 50
	for name, test := range map[string]struct {
		timeout time.Duration
		hold    func(s *smallServer) net.Conn
	}{
		"unused":             {time.Minute, func(s *smallServer) net.Conn { return s.dial(hostile, "") }},
		"idle":               {time.Minute, func(s *smallServer) net.Conn { c, _ := s.idle(hostile); return c }},
		"slow headers":       {time.Minute, func(s *smallServer) net.Conn { return s.dial(hostile, halfHeader) }},
		"slow bodies":        {time.Minute, func(s *smallServer) net.Conn { return s.arriving(hostile) }},
		"beyond the timeout": {0, func(s *smallServer) net.Conn { return s.busy(hostile) }},
		"second slow headers": {time.Minute, func(s *smallServer) net.Conn {
			c, _ := s.idle(hostile)
			io.WriteString(c, halfHeader)
			return c
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSmallServer(t, limit, test.timeout)
			var held []net.Conn
			for range limit {
				held = append(held, test.hold(s))
			}
			if _, status := s.idle(hostile); status != 503 {
				t.Errorf("one more of the same client: %d", status)
			}
			s.wantClosed(held, 0)
			if status := s.status(s.dial(polite, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")); status != 200 {
				t.Errorf("a probe: %d", status)
			}
			if _, status := s.idle(polite); status != 200 {
				t.Errorf("a request: %d", status)
			}
			s.wantClosed(held, 2)
		})
	}
}

// Two clients that open as many connections as they can get similar shares, and then no
// longer close each other's connections.
func TestTwoGreedyClients(t *testing.T) {
	const limit = 60
	s := newSmallServer(t, limit, time.Minute)
	var first, second []net.Conn
	for range limit {
		c, _ := s.idle(hostile)
		first = append(first, c)
	}
	statuses := map[int]int{}
	for range limit {
		c, status := s.idle(polite)
		if statuses[status]++; status == 200 {
			second = append(second, c)
		}
	}
	// 40 are not twice as many as the 21 that there would be.
	if statuses[200] != 20 || statuses[503] != 40 {
		t.Errorf("answers to the second client: %v", statuses)
	}
	s.wantClosed(first, 20)
	s.wantClosed(second, 0)
}

// A client loses a connection that it does not use before one that it uses, and of several
// the one that it has not used for the longest.
func TestIdleConnectionsGoFirst(t *testing.T) {
	s := newSmallServer(t, 10, 0)
	var busy, idle []net.Conn
	for range 5 {
		busy = append(busy, s.busy(hostile))
	}
	for range 5 {
		c, _ := s.idle(hostile)
		idle = append(idle, c)
	}
	io.WriteString(idle[0], ordinary)
	s.status(idle[0])
	s.await(s.idled, "finished") // which makes idle[1] the one that waits the longest
	s.idle(polite)
	s.wantClosed(idle[1:2], 1)
	s.wantClosed(idle[2:], 0)
	s.wantClosed(idle[:1], 0)
	s.idle(third)
	s.wantClosed(busy, 0)
	close(s.finish)
	for _, each := range busy {
		if status := s.status(each); status != 200 {
			t.Errorf("a request that is carried out gets %d", status)
		}
	}
}

// Clients with one connection each do not close those on which the requests of a class are
// carried out, which has one address. They are refused when nothing else can be closed.
func TestBusyConnectionsOfOneAddress(t *testing.T) {
	const limit, class, others = 60, 20, 80
	s := newSmallServer(t, limit, time.Minute)
	var busy, unfinished []net.Conn
	for range class {
		busy = append(busy, s.busy(polite))
	}
	for i := range others {
		unfinished = append(unfinished, s.dial(fmt.Sprintf("127.0.1.%d", 1+i), halfHeader))
	}
	for _, each := range unfinished[limit-class:] {
		if status := s.status(each); status != 503 {
			t.Errorf("one too many gets %d", status)
		}
	}
	close(s.finish)
	for _, each := range busy {
		if status := s.status(each); status != 200 {
			t.Errorf("a request that is carried out gets %d", status)
		}
	}
}

// A trusted proxy loses idle connections only, because its requests are those of many
// clients. A client without a connection, such as a kubelet, is served nevertheless.
func TestTrustedProxy(t *testing.T) {
	const limit = 100
	s := newSmallServer(t, limit, 0, netip.MustParsePrefix(hostile+"/32"))
	var busy []net.Conn
	for range limit - 2 {
		busy = append(busy, s.busy(hostile))
	}
	busy = append(busy, s.arriving(hostile))
	idle := s.dial(hostile, "")
	probe, status := s.idle(polite)
	if status != 200 {
		t.Errorf("a probe: %d", status)
	}
	if _, status = s.idle(polite); status != 200 {
		t.Errorf("a second connection, for which there is an idle one: %d", status)
	}
	s.wantClosed([]net.Conn{idle}, 1)
	if _, status = s.idle(polite); status != 503 {
		t.Errorf("a third connection: %d", status)
	}
	s.wantClosed(busy, 0)
	s.wantClosed([]net.Conn{probe}, 0)
}

// Many clients at once: everything is counted right, so that afterwards there is room for
// as many connections as before.
func TestConnectionsAreCountedRight(t *testing.T) {
	const limit, clients, times = 8, 12, 30
	s := newSmallServer(t, limit, time.Minute)
	done := make(chan struct{})
	for i := range clients {
		go func() {
			defer func() { done <- struct{}{} }()
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(fmt.Sprintf("127.0.1.%d", 1+i))}}
			for range times {
				if c, err := dialer.Dial("tcp", s.address); err == nil {
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
		_, status := s.idle(hostile)
		if want := map[bool]int{true: 200, false: 503}[i < limit]; status != want {
			t.Errorf("connection %d: %d, want %d", i, status, want)
		}
	}
}
