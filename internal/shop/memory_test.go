package shop_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/web"
)

const (
	mib = 1 << 20
	// limit is the memory of a pod, of which Go knows; see the manifests.
	limit = 256 * mib
	// mostOfUsers includes two passwords that are hashed, at 19 MiB each.
	mostOfUsers = 128 * mib
	// mostOfGateway is what the gateway may have, which hashes nothing.
	mostOfGateway = 64 * mib
)

func withLimit() string { return fmt.Sprintf("GOMEMLIMIT=%d", limit) }

// startUsers and startGateway run what a client without a token reaches. The gateway is
// ready when it has the keys of user-svc.
func startUsers(t *testing.T) process {
	return startProgram(t, "user-svc", withLimit(), "DATABASE_URL=sqlite:"+filepath.Join(t.TempDir(), "users.db"))
}

func startGateway(t *testing.T, users process) process {
	return startProgram(t, "api-gateway", withLimit(), "USER_SERVICE_URL="+users.url)
}

// objects is a body of very many small objects, of about the length.
func objects(length int) string {
	const begin, one, end = `{"email":"a@b.c","password":"x","product_ids":["x"],"x":[`, `{"":0},`, `0]}`
	return begin + strings.Repeat(one, (length-len(begin)-len(end))/len(one)) + end
}

// TestMemoryOfHostileBodies has two services read as many bodies at once as a hostile
// client likes, each as bad for them as it can be.
func TestMemoryOfHostileBodies(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs")
	}
	users := startUsers(t)
	gateway := startGateway(t, users)
	const ann = `{"name":"Ann","email":"ann@example.com","password":"long enough"}`
	shoptest.Do(t, "POST", users.url+"/users", "", ann).Want(t, 200)
	token := shoptest.Do(t, "POST", users.url+"/login", "", ann).Want(t, 200).Member(t, "access_token")
	bearer := "Authorization: Bearer " + token
	for _, atOnce := range []int{16, 200} {
		for name, body := range map[string]string{
			"as large as allowed": objects(web.MaxBody), "1 MiB": objects(mib), "with many spaces": ann + strings.Repeat(" ", web.MaxBody-len(ann)), "lists in lists": strings.Repeat("[", web.MaxBody),
		} {
			sendAtOnce(t, users, atOnce, message("POST", "/login", body))
			sendAtOnce(t, users, atOnce, message("POST", "/users", chunks(body), "Transfer-Encoding: chunked"))
			sendAtOnce(t, gateway, atOnce, message("POST", "/api/v1/order/create", body, bearer))
			sendAtOnce(t, gateway, atOnce, message("POST", "/api/v1/order/create", chunks(body), bearer, "Transfer-Encoding: chunked"))
			sendAtOnce(t, gateway, atOnce, message("POST", "/api/v1/payments/pay", chunks(body), "Transfer-Encoding: chunked"))
			t.Logf("%d bodies, %s: user-svc has had %d MiB, api-gateway %d MiB", atOnce, name, users.peakMemory(t)/mib, gateway.peakMemory(t)/mib)
		}
	}
	if got := users.peakMemory(t); got > mostOfUsers {
		t.Errorf("user-svc has had %d MiB", got/mib)
	}
	if got := gateway.peakMemory(t); got > mostOfGateway {
		t.Errorf("api-gateway has had %d MiB", got/mib)
	}
	for _, p := range []process{users, gateway} {
		if status := p.status("/readyz"); status != http.StatusOK {
			t.Errorf("%s is not well afterwards: %d", p.url, status)
		}
	}
}

// sendAtOnce sends a request so many times at once. What is answered is another test's.
func sendAtOnce(t *testing.T, p process, times int, request string) {
	t.Helper()
	var (
		all      sync.WaitGroup
		answered atomic.Int32
	)
	for range times {
		all.Go(func() {
			if _, _, err := (bad{request: request}).send(p.address, time.Now().Add(30*time.Second)); err == nil {
				answered.Add(1)
			}
		})
	}
	if all.Wait(); answered.Load() == 0 {
		t.Errorf("%s answers nothing to %.60q", p.url, request)
	}
}

const (
	// idle is how many connections a hostile client opens.
	idle = 12_800
	// someServed is fewer than the gateway serves, which has been asked whether it is ready.
	someServed = web.MaxConnections - 100
)

// TestIdleConnections opens far more connections than the gateway serves, and leaves them
// alone: it says so, has memory for those it serves, and serves others later.
func TestIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits until connections are given up")
	}
	if !mayOpen(idle + 1000) {
		t.Skip("this process may not open so many connections: ulimit -n")
	}
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
	await(t, time.Minute, "another client is served", func() bool { return gateway.status("/healthz") == http.StatusCreated })
}

// mayOpen tells whether this process may have so many files and connections.
func mayOpen(n uint64) bool {
	var files syscall.Rlimit
	return syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil && files.Cur >= n
}

// useOnce returns a connection that stays open, and the status of the one request on it,
// which is 0 if there was no answer.
func useOnce(address string) (net.Conn, int) {
	c, err := net.Dial("tcp", address)
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
