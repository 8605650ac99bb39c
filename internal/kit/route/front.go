package route

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Front is the front door: one HTTP port of this machine that leads to services
// by host name and path.
type Front struct {
	*Listener
	table atomic.Pointer[table]
}

// NewFront listens on a port of 127.0.0.1 and, where there is IPv6, of ::1. A
// port that is taken on one of them is a [BusyError]. Until Set is called, every
// request is answered by 404.
func NewFront(port int) (*Front, error) {
	listeners, err := listenLoopback(port)
	if err != nil {
		return nil, err
	}
	f := &Front{}
	f.Set(Routes{})
	f.Listener = serveHTTP(f, listeners...)
	return f, nil
}

// listenLoopback listens on the same port of both loopback addresses.
func listenLoopback(port int) ([]net.Listener, error) {
	ipv4, err := listenFixed("127.0.0.1", port)
	if err != nil {
		return nil, err
	}
	ipv6, err := listenFixed("::1", ipv4.Addr().(*net.TCPAddr).Port)
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return []net.Listener{ipv4}, nil // There is no IPv6.
	case err != nil:
		ipv4.Close()
		return nil, err
	}
	return []net.Listener{ipv4, ipv6}, nil
}

// listenFixed listens on a port that a person has chosen.
func listenFixed(host string, port int) (net.Listener, error) {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	err := probe(address)
	if err == nil {
		var listener net.Listener
		if listener, err = listen(address); err == nil {
			return listener, nil
		}
	}
	if _, busy := errors.AsType[*BusyError](err); busy {
		err = fmt.Errorf("%w: stop it, or choose another with --port", err)
	}
	return nil, err
}

// Set replaces the routes.
func (f *Front) Set(routes Routes) { f.table.Store(newTable(routes)) }

// ServeHTTP sends a request to the pool of its host name and path.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := f.table.Load()
	if pool := t.find(r.Host, r.URL.Path); pool != nil {
		pool.ServeHTTP(w, r)
		return
	}
	var known strings.Builder
	port := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr).Port
	for _, name := range t.local() {
		fmt.Fprintf(&known, "\n  http://%s:%d", name, port)
	}
	http.Error(w, fmt.Sprintf("no service answers to %s; there are:%s", r.Host+strings.TrimSuffix(r.URL.Path, "/"), &known), http.StatusNotFound)
}
