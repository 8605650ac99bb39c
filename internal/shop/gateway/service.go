// Package gateway is api-gateway: the side of the shop that users see. It
// verifies their tokens and lets them reach what is theirs.
package gateway

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/client"
	"github.com/koshop/koshop/internal/shop/config"
	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/web"
)

// Name and About introduce the service.
const (
	Name  = "api-gateway"
	About = "Lets users browse products, order them, pay for orders and look at what they ordered and paid."
)

// timeout is below the 5 s within which every request is answered, whatever
// happens to the services behind.
const timeout = 4500 * time.Millisecond

// Config is the configuration of the service.
type Config struct {
	server.Config
	OrdersURL, PaymentsURL, ProductsURL, UsersURL *url.URL
}

// Bind adds the variables to the set.
func (c *Config) Bind(v *config.Set) {
	c.Config.Bind(v)
	v.URL(&c.OrdersURL, "ORDER_SERVICE_URL", "http://orders-svc.api", "where orders-svc is")
	v.URL(&c.PaymentsURL, "PAYMENTS_SERVICE_URL", "http://payments-svc.api", "where payments-svc is")
	v.URL(&c.ProductsURL, "PRODUCTS_SERVICE_URL", "http://product-svc.api", "where product-svc is")
	v.URL(&c.UsersURL, "USER_SERVICE_URL", "http://user-svc.api", "where user-svc is")
}

// New returns the service.
func New(cfg Config, log *slog.Logger) *server.Server {
	s := &service{
		owed:     newOwed(),
		orders:   api.NewOrders(cfg.OrdersURL),
		payments: api.NewPayments(cfg.PaymentsURL),
		products: api.NewProducts(cfg.ProductsURL),
		users:    api.NewUsers(cfg.UsersURL),
	}
	s.verifier = newVerifier(newKeyCache(s.users.Keys))
	return server.New(cfg.Config, server.Service{
		Name: Name, About: About, Greeting: "api-gateway is well", Timeout: timeout,
		Register: s.register, Ready: s.verifier.keys.ready, Close: s.close,
	}, log)
}

type service struct {
	orders   api.Orders
	payments api.Payments
	products api.Products
	users    api.Users
	verifier *verifier
	passing  shared[client.Answer] // what is passed on of product-svc
	owed     owed
}

func (s *service) close() error {
	s.verifier.keys.close()
	s.orders.Close()
	s.payments.Close()
	s.products.Close()
	s.users.Close()
	return nil
}

// operation is web.Operation with what any call to a service behind may give.
func operation(id, method, path, summary string, errors ...int) huma.Operation {
	return web.Operation(id, method, "/api/v1"+path, summary, append(errors, http.StatusBadGateway, http.StatusGatewayTimeout)...)
}

// private is operation for a user with a token.
func (s *service) private(a huma.API, id, method, path, summary string, errors ...int) huma.Operation {
	op := operation(id, method, path, summary, append(errors, http.StatusUnauthorized)...)
	op.Security = []map[string][]string{{"token": {}}}
	op.Middlewares = huma.Middlewares{authenticate(a, s.verifier)}
	return op
}

func (s *service) register(a huma.API) {
	a.OpenAPI().Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The access_token of user-svc's POST /login"},
	}
	s.registerProducts(a)

	huma.Register(a, web.LargeBody(s.private(a, "create-order", http.MethodPost, "/order/create", "Order products",
		http.StatusBadRequest, http.StatusNotFound, http.StatusConflict)), s.createOrder)
	huma.Register(a, s.private(a, "get-order", http.MethodGet, "/order/{id}", "Show one of your orders", http.StatusNotFound), s.getOrder)
	huma.Register(a, s.private(a, "list-orders", http.MethodGet, "/orders", "List your latest orders, newest first"), s.listOrders)
	huma.Register(a, s.private(a, "pay", http.MethodPost, "/payments/pay", "Pay for one of your orders",
		http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict), s.pay)
	huma.Register(a, s.private(a, "get-payment", http.MethodGet, "/payments/status/{id}", "Show one of your payments", http.StatusNotFound), s.getPayment)
}
