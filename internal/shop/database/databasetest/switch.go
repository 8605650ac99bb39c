package databasetest

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
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
	conns  []net.Conn
	copies sync.WaitGroup
}

// NewSwitch returns a switch, off, before the database of a URL that Postgres
// returned.
func NewSwitch(t *testing.T, database string) *Switch {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	s := &Switch{t: t, dir: t.TempDir(), server: filepath.Join(query.Get("host"), socket)}
	query.Set("host", s.dir)
	u.RawQuery = query.Encode()
	s.URL = u.String()
	t.Cleanup(s.Off)
	return s
}

// On lets connections through.
func (s *Switch) On() {
	s.t.Helper()
	ln, err := net.Listen("unix", filepath.Join(s.dir, socket))
	if err != nil {
		s.t.Fatal(err)
	}
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
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		s.copies.Go(func() {
			_, _ = io.Copy(pair[0], pair[1]) // ends when either side does, which is no failure here
			pair[0].Close()
		})
	}
}

// Off breaks all connections and lets none through.
func (s *Switch) Off() {
	s.mu.Lock()
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
