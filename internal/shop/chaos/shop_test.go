//go:build linux

package chaos

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// shop is the five services as processes, with two replicas of those that take
// payments, and a balancer before them.
type shop struct {
	database         string // its URL
	random           func() *rand.Rand
	gateway          *process
	orders, payments *balancer
	all              []*process
	users            []user
	dir              string // of the logs
}

// user is a client with an account.
type user struct{ id, token string }

// replicas is how many processes a service has that takes payments.
const replicas = 2

// openShop starts a shop that runs until the test ends. The settings are
// environment variables of payments-svc.
func openShop(t *testing.T, s scene, settings ...string) *shop {
	t.Helper()
	shop := &shop{database: s.newURL(t), random: s.random, dir: t.TempDir()}
	if shop.isPostgres() {
		if err := databasetest.Durable(t.Context(), shop.database); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { shop.close(t) })
	users := shop.start(t, "user-svc", 1, shop.data("users"))[0]
	products := shop.start(t, "product-svc", 1)[0]
	shop.orders = newBalancer(t, s.random(), shop.start(t, "orders-svc", replicas, shop.data("orders"))...)
	shop.payments = newBalancer(t, s.random(), shop.start(t, "payments-svc", replicas,
		append(settings, shop.data("payments"), "ORDER_SERVICE_URL="+shop.orders.url)...)...)
	shop.gateway = shop.start(t, "api-gateway", 1, "ORDER_SERVICE_URL="+shop.orders.url, "PAYMENTS_SERVICE_URL="+shop.payments.url,
		"PRODUCTS_SERVICE_URL="+products.url(), "USER_SERVICE_URL="+users.url())[0]
	for i := range 4 {
		body := fmt.Sprintf(`{"name":"u","email":"u%d@example.com","password":"secret word"}`, i)
		id := shoptest.Do(t, "POST", users.url()+"/users", "", body).Want(t, 200).Member(t, "id")
		shop.users = append(shop.users, user{id, shoptest.Do(t, "POST", users.url()+"/login", "", body).Want(t, 200).Member(t, "access_token")})
	}
	return shop
}

func (s *shop) isPostgres() bool { return strings.HasPrefix(s.database, "postgres:") }

// data is the variable that leads a service to its data.
func (s *shop) data(service string) string {
	return "DATABASE_URL=" + databasetest.For(s.database, service)
}

func (s *shop) start(t *testing.T, name string, n int, env ...string) (started []*process) {
	t.Helper()
	for i := range n {
		p := &process{name: name, path: program(t, name), log: filepath.Join(s.dir, fmt.Sprintf("%s-%d.log", name, i)), env: env, random: s.random()}
		s.all = append(s.all, p)
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		started = append(started, p)
	}
	return started
}

// latest is how many lines of each log a failure shows.
const latest = 15

// close ends all processes. After a failure it shows what they complained about.
func (s *shop) close(t *testing.T) {
	for _, p := range s.all {
		if err := p.kill(); err != nil {
			t.Error(err)
		}
		if !t.Failed() {
			continue
		}
		lines := p.logged(t, regexp.MustCompile(`"level":"(WARN|ERROR)","msg":"(request".*"path":"/[^r]|[^r])`)) // without probes
		t.Logf("%s:\n%s", filepath.Base(p.log), strings.Join(lines[max(0, len(lines)-latest):], "\n"))
	}
}

// logged returns the lines of payments-svc's logs that match.
func (s *shop) logged(t *testing.T, pattern *regexp.Regexp) (lines []string) {
	t.Helper()
	for _, p := range s.payments.replicas {
		lines = append(lines, p.logged(t, pattern)...)
	}
	return lines
}

// calm ends all faults of the network.
func (s *shop) calm() {
	for _, b := range []*balancer{s.orders, s.payments} {
		b.mu.Lock()
		b.marking, b.others = odds{}, odds{}
		b.mu.Unlock()
	}
}

// agreeWithin is how long payments and orders may differ after the last fault.
const agreeWithin = 30 * time.Second

// awaitAgreement waits until payments and orders agree, apart from what the excuses
// cover. It returns what they say then, and in what they differ.
func (s *shop) awaitAgreement(t *testing.T, within time.Duration, excuses ...excuse) (b books, found findings) {
	t.Helper()
	begin := time.Now()
	for time.Since(begin) < within {
		var err error
		if b, err = s.readBooks(t.Context()); err != nil {
			t.Fatal(err)
		}
		found = b.differences()
		if left, _ := found.without(excuses); len(left) == 0 {
			t.Logf("payments and orders agreed after %v", time.Since(begin).Round(time.Millisecond))
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return b, found
}
