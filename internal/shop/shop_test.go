package shop_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/gateway"
	"github.com/koshop/koshop/internal/shop/orders"
	"github.com/koshop/koshop/internal/shop/payments"
	"github.com/koshop/koshop/internal/shop/products"
	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/users"
)

// shop is the five services in this process, with real HTTP between them.
type shop struct {
	database                                   string
	log                                        *slog.Logger
	config                                     func() server.Config
	users, products, orders, payments, gateway *server.Server
}

// eachDatabase runs the test with a shop on SQLite files and one on PostgreSQL.
func eachDatabase(t *testing.T, test func(*testing.T, *shop)) {
	databasetest.Each(t, func(t *testing.T, url string) { test(t, startShop(t, url)) })
}

func startShop(t *testing.T, url string) *shop {
	t.Helper()
	s := &shop{database: url, log: shoptest.Log(), config: shoptest.Config}
	s.start(t)
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *shop) start(t *testing.T) {
	t.Helper()
	s.users = run(t, users.New(users.Config{Config: s.config(), Database: databasetest.Source(t, databasetest.For(s.database, "users")), KeyRotation: 24 * time.Hour, LoginRate: 300}, s.log))
	s.products = run(t, products.New(products.Config{Config: s.config()}, s.log))
	s.orders = run(t, orders.New(orders.Config{Config: s.config(), Database: databasetest.Source(t, databasetest.For(s.database, "orders"))}, s.log))
	s.payments = run(t, payments.New(payments.Config{
		Config: s.config(), Database: databasetest.Source(t, databasetest.For(s.database, "payments")),
		OrdersURL: shoptest.URL(t, s.orders.URL()), SettleInterval: time.Minute, ReconcileInterval: time.Minute,
	}, s.log))
	s.gateway = run(t, s.gatewayWith(t, "", ""))
}

func run(t *testing.T, srv *server.Server) *server.Server {
	t.Helper()
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return srv
}

// gatewayWith returns a gateway to the shop, with another URL for one service.
func (s *shop) gatewayWith(t *testing.T, name, url string) *server.Server {
	t.Helper()
	urls := map[string]string{
		"orders-svc": s.orders.URL(), "payments-svc": s.payments.URL(), "product-svc": s.products.URL(), "user-svc": s.users.URL(),
	}
	urls[name] = url
	return gateway.New(gateway.Config{
		Config:    s.config(),
		OrdersURL: shoptest.URL(t, urls["orders-svc"]), PaymentsURL: shoptest.URL(t, urls["payments-svc"]),
		ProductsURL: shoptest.URL(t, urls["product-svc"]), UsersURL: shoptest.URL(t, urls["user-svc"]),
	}, s.log)
}

func (s *shop) close() error {
	return errors.Join(s.gateway.Close(), s.payments.Close(), s.orders.Close(), s.products.Close(), s.users.Close())
}

// restart stops everything and starts it on the same data.
func (s *shop) restart(t *testing.T) {
	t.Helper()
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	s.start(t)
}

type user struct{ id, token string }

func (s *shop) signUp(t *testing.T, name string) user {
	t.Helper()
	body := fmt.Sprintf(`{"name":%q,"email":"%s@example.com","password":"secret word"}`, name, name)
	id := shoptest.Do(t, "POST", s.users.URL()+"/users", "", body).Want(t, 200).Member(t, "id")
	return user{id, shoptest.Do(t, "POST", s.users.URL()+"/login", "", body).Want(t, 200).Member(t, "access_token")}
}
