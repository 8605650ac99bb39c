package orders_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/orders"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

const (
	full     = "The service cannot store anything now: its database is full, try again later"
	readOnly = "The service cannot store anything now: its database is read-only, try again later"
)

func startOn(t *testing.T, url string) string {
	return shoptest.Start(t, orders.New(orders.Config{Config: shoptest.Config(), Database: databasetest.Source(t, url)}, shoptest.Log()))
}

// refused wants the answer 503 that says why and when to come again.
func refused(t *testing.T, answer shoptest.Answer, detail string) {
	t.Helper()
	answer.WantDetail(t, 503, detail)
	if answer.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

func awaitReady(t *testing.T, base string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if shoptest.Do(t, "GET", base+"/readyz", "", "").Status == 200 {
			return
		}
	}
	t.Fatal("never ready again")
}

func TestReadOnlyDatabaseServesReads(t *testing.T) {
	url := databasetest.Postgres(t)
	base := startOn(t, url)
	order := shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200).Member(t, "id")

	databasetest.ReadOnly(t, url, true)
	refused(t, shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")), readOnly)
	refused(t, shoptest.Do(t, "PATCH", base+"/orders/"+order+"/status?status=paid", "", ""), readOnly)
	refused(t, shoptest.Do(t, "GET", base+"/readyz", "", ""), readOnly)
	shoptest.Do(t, "GET", base+"/orders/"+order, "", "").Want(t, 200)
	shoptest.Do(t, "GET", base+"/orders?user_id=ann", "", "").Want(t, 200)

	databasetest.ReadOnly(t, url, false)
	awaitReady(t, base)
	shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200)
}

func TestFullDatabaseServesReads(t *testing.T) {
	dir := databasetest.SmallDisk(t)
	base := startOn(t, "sqlite:"+filepath.Join(dir, "orders.db"))
	order := shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200).Member(t, "id")

	release := databasetest.Fill(t, dir)
	large := `{"user_id":"ann","product_ids":["` + strings.Repeat(`L9ECAV7KIM","`, 99) + `x"]}`
	answer := shoptest.Do(t, "POST", base+"/orders", "", large)
	for i := 0; i < 500 && answer.Status == 200; i++ {
		answer = shoptest.Do(t, "POST", base+"/orders", "", large)
	}
	refused(t, answer, full)
	refused(t, shoptest.Do(t, "GET", base+"/readyz", "", ""), full)
	shoptest.Do(t, "GET", base+"/orders/"+order, "", "").Want(t, 200)

	release()
	awaitReady(t, base)
	shoptest.Do(t, "POST", base+"/orders", "", large).Want(t, 200)
}

// TestKilledConnectionsFailNoRequest breaks all connections while requests run.
func TestKilledConnectionsFailNoRequest(t *testing.T) {
	url := databasetest.Postgres(t)
	base := startOn(t, databasetest.OverTCP(t, url))
	order := shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200).Member(t, "id")
	var all sync.WaitGroup
	var stop atomic.Bool
	for range 8 {
		all.Go(func() {
			for !stop.Load() {
				for _, answer := range []shoptest.Answer{
					shoptest.Do(t, "GET", base+"/orders/"+order, "", ""),
					shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")),
				} {
					if answer.Status != 200 {
						t.Errorf("%d %s", answer.Status, answer.Body)
					}
				}
			}
		})
	}
	for range 3 {
		time.Sleep(2 * time.Second) // A statement is repeated once: it has to be through before the next.
		databasetest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orders'`)
	}
	time.Sleep(500 * time.Millisecond)
	stop.Store(true)
	all.Wait()
}
