package databasetest

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// socket is the name PostgreSQL's socket has in its directory.
const socket = ".s.PGSQL.5432"

// Switch stands between a service and PostgreSQL. While it is off, nobody can
// connect and every connection is broken, as when the server is down.
type Switch struct {
	URL string // of the database through the switch

	t      *testing.T
	dir    string // of the switch's own socket
	server string // the server's socket
	ln     net.Listener
	mu     sync.Mutex
	on     bool
	frozen bool
	flow   *sync.RWMutex   // held for reading while bytes are passed on; for writing while frozen
	lost   []*sync.RWMutex // of connections that were stranded
	conns  []net.Conn
	copies sync.WaitGroup
}

// NewSwitch returns a switch, off, before the database of a URL that Postgres
// returned.
func NewSwitch(t *testing.T, database string) *Switch {
	t.Helper()
	s := &Switch{t: t, dir: t.TempDir(), flow: &sync.RWMutex{}}
	var host string
	host, s.URL = rehost(t, database, s.dir, "")
	s.server = filepath.Join(host, socket)
	t.Cleanup(s.Off)
	return s
}

// OverTCP returns a URL that leads to the same database by TCP. There, other than
// at a Unix socket, a client may write to a connection that the server closed.
func OverTCP(t *testing.T, database string) string {
	t.Helper()
	s := NewSwitch(t, database)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.serve(ln)
	address := ln.Addr().(*net.TCPAddr)
	_, url := rehost(t, database, address.IP.String(), strconv.Itoa(address.Port))
	return url
}

// rehost returns the host of a URL, and the URL with another one.
func rehost(t *testing.T, database, host, port string) (old, changed string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	old = query.Get("host")
	query.Set("host", host)
	if port != "" {
		query.Set("port", port)
		query.Set("sslmode", "disable")
	}
	u.RawQuery = query.Encode()
	return old, u.String()
}

// On lets connections through.
func (s *Switch) On() {
	s.t.Helper()
	ln, err := net.Listen("unix", filepath.Join(s.dir, socket))
	if err != nil {
		s.t.Fatal(err)
	}
	s.serve(ln)
}

func (s *Switch) serve(ln net.Listener) {
	s.mu.Lock()
	s.ln, s.on = ln, true
	s.mu.Unlock()
	s.copies.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return // Off closed it
			}
			s.join(client)
		}
	})
}

func (s *Switch) join(client net.Conn) {
	server, err := net.Dial("unix", s.server)
	if err != nil {
		s.t.Error(err)
		client.Close()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.on { // switched off meanwhile
		client.Close()
		server.Close()
		return
	}
	s.conns = append(s.conns, client, server)
	flow := s.flow
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		s.copies.Go(func() {
			_, _ = io.Copy(gated{pair[0], flow}, pair[1]) // ends when either side does, which is no failure here
			pair[0].Close()
		})
	}
}

// gated passes on what is written while it can lock.
type gated struct {
	io.Writer
	flow *sync.RWMutex
}

func (g gated) Write(p []byte) (int, error) {
	g.flow.RLock()
	defer g.flow.RUnlock()
	return g.Writer.Write(p)
}

// Freeze accepts connections and keeps those there are, but passes nothing on, as
// when the server is stopped or its machine vanished.
func (s *Switch) Freeze() { s.setFrozen(true) }

// Thaw passes on again, also what came meanwhile.
func (s *Switch) Thaw() { s.setFrozen(false) }

func (s *Switch) setFrozen(frozen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case frozen && !s.frozen:
		s.flow.Lock()
	case !frozen && s.frozen:
		s.flow.Unlock()
	}
	s.frozen = frozen
}

// Strand freezes the connections there are for good and lets new ones through, as
// when another machine took over the server's address.
func (s *Switch) Strand() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flow.Lock()
	s.lost, s.flow = append(s.lost, s.flow), &sync.RWMutex{}
}

// Off breaks all connections and lets none through.
func (s *Switch) Off() {
	s.Thaw()
	s.mu.Lock()
	for _, flow := range s.lost {
		flow.Unlock()
	}
	s.lost = nil
	if s.on {
		s.on = false
		s.ln.Close()
		for _, c := range s.conns {
			c.Close()
		}
		s.conns = nil
	}
	s.mu.Unlock()
	s.copies.Wait()
}
