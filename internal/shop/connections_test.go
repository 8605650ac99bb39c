package shop_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/web"
)

const (
	// idle is how many connections a hostile client opens.
	idle = 12_800
	// someServed is fewer than the gateway serves, which has been asked whether it is ready.
	someServed = web.MaxConnections - 100
)

// TestIdleConnections has one client open far more connections than the gateway serves, and
// not use them again. The gateway refuses some, has memory for the others, and serves other
// clients at once, and the same client later.
func TestIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits until connections are given up")
	}
	skipUnlessOpens(t, idle+1000)
	gateway := startGateway(t, startUsers(t))
	var served, refused atomic.Int32
	connections := make([]net.Conn, idle)
	t.Cleanup(func() {
		for _, c := range connections {
			if c != nil {
				c.Close()
			}
		}
	})
	var work sync.WaitGroup
	for first := range atOnce {
		work.Go(func() {
			for i := first; i < idle; i += atOnce {
				c, status := useOnce(gateway.address)
				connections[i] = c
				switch status {
				case http.StatusCreated:
					served.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
				}
			}
		})
	}
	work.Wait()
	t.Logf("of %d connections %d are served, %d refused; api-gateway has had %d MiB", idle, served.Load(), refused.Load(), gateway.peakMemory(t)/mib)
	if n := served.Load(); n < someServed || refused.Load() == 0 {
		t.Errorf("%d connections are served, %d refused", n, refused.Load())
	}
	if got := gateway.peakMemory(t); got > limit {
		t.Errorf("api-gateway has had %d MiB", got/mib)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if status := gateway.status(path); status != http.StatusOK {
			t.Errorf("another client gets %d for %s", status, path)
		}
	}
	await(t, time.Minute, "the same client is served again", func() bool {
		c, status := useOnce(gateway.address)
		if c != nil {
			c.Close()
		}
		return status == http.StatusCreated
	})
}

// skipUnlessOpens skips the test unless this process may have so many connections, and of
// several addresses.
func skipUnlessOpens(t *testing.T, connections uint64) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all addresses of 127.0.0.0/8 by default")
	}
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) != nil || files.Cur < connections {
		t.Skip("this process may not open so many connections: ulimit -n")
	}
}

// useOnce returns a connection that stays open, and the status of the one request on it,
// which is 0 if there was no answer.
func useOnce(address string) (net.Conn, int) {
	c, err := hostileDialer.Dial("tcp", address)
	if err != nil {
		return nil, 0
	}
	if _, err := io.WriteString(c, message("GET", "/healthz", "")); err != nil {
		return c, 0
	}
	_ = c.SetReadDeadline(time.Now().Add(within))
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return c, 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return c, answer.StatusCode
}

// hostileDialer opens the connections of a client with an address of its own.
var hostileDialer = net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}

// TestLargeHeaders has one client fill all connections with headers that are as bad as
// allowed, and leave each request unfinished.
func TestLargeHeaders(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs")
	}
	skipUnlessOpens(t, web.MaxConnections+1000)
	const get, post = "GET /healthz HTTP/1.1\r\nHost: a\r\n", "POST /api/v1/order/create HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
	const first = "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
	large := "A: " + strings.Repeat("x", 11<<10)
	for name, request := range map[string]string{
		"a large header": get + large, "a large header and a body": post + large + "\r\n\r\n{",
		"small headers": get + smallHeaders(2000), "small headers and a body": post + smallHeaders(2000) + "\r\n{",
		"as many headers as allowed": get + smallHeaders(90), "as many headers as allowed, and a body": post + smallHeaders(90) + "\r\n{",
		"small headers after an empty line":    first + "\r\n" + get + smallHeaders(2000),
		"small headers of a pipelined request": get + "\r\n" + get + smallHeaders(2000),
	} {
		t.Run(name, func(t *testing.T) {
			gateway := startGateway(t, startUsers(t))
			holdAll(t, gateway, request)
			if status := gateway.status("/livez"); status != http.StatusOK {
				t.Errorf("a probe gets %d", status)
			}
			time.Sleep(time.Second) // Some of the requests may not have been read yet.
			t.Logf("api-gateway has had %d MiB", gateway.peakMemory(t)/mib)
			if got := gateway.peakMemory(t); got > limit {
				t.Errorf("api-gateway has had %d MiB", got/mib)
			}
		})
	}
}

// smallHeaders returns so many headers of different names.
func smallHeaders(n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, "%X:\r\n", i)
	}
	return all.String()
}

// holdAll opens as many connections as a service serves, and begins the request on each.
func holdAll(t *testing.T, p process, request string) {
	t.Helper()
	for range web.MaxConnections {
		c, err := hostileDialer.DialContext(t.Context(), "tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetWriteDeadline(time.Now().Add(within))
		_, _ = io.WriteString(c, request) // The service need not read all of it.
	}
}
