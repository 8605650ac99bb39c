package shop_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/web"
)

const (
	mib = 1 << 20
	// limit is the memory of a pod, and goLimit what Go may use of it, as in the manifests.
	limit, goLimit = 256 * mib, 224 * mib
	// maxUsersMemory includes two passwords that are hashed, at 19 MiB each.
	maxUsersMemory = 128 * mib
	// maxGatewayMemory is less, because the gateway hashes no passwords.
	maxGatewayMemory = 64 * mib
)

func withLimit() string { return fmt.Sprintf("GOMEMLIMIT=%d", goLimit) }

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
	if got := users.peakMemory(t); got > maxUsersMemory {
		t.Errorf("user-svc has had %d MiB", got/mib)
	}
	if got := gateway.peakMemory(t); got > maxGatewayMemory {
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
