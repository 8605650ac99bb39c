// Command solution is the workshop's exercise, solved: payments-starter, with
// orders-svc as the one who says which payment of an order came first.
//
// To ask for the order before, and refuse one that is paid, is right for payments
// that come one after the other. Two at the same moment would both find the order
// pending, and both be taken.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/config"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/recent"
	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/web"
)

const (
	name  = "payments-svc"
	about = "Takes payments for orders, and shows them until it is restarted."
	// kept is how many payments it remembers.
	kept = 10_000
)

func main() {
	var cfg settings
	os.Exit(server.Main(name, about, &cfg, func(log *slog.Logger) *server.Server {
		return newServer(cfg, log)
	}))
}

// service answers the requests.
type service struct {
	orders   api.Orders // talks to orders-svc
	payments *recent.Map[api.Payment]
}

// pay is POST /payments: it takes a payment for an order.
func (s *service) pay(ctx context.Context, in *payInput) (*paymentOutput, error) {
	amount, err := in.Body.Amount.Amount()
	if err != nil {
		return nil, fault.New(fault.Invalid, "amount: %v", err)
	}

	payment := api.Payment{
		ID: uuid.NewString(), UserID: in.Body.UserID, OrderID: in.Body.OrderID, Amount: amount, Status: api.StatusPaid,
	}

	_, err = s.orders.MarkPaid(ctx, payment)
	if fault.Is(err, fault.Conflict) {
		return nil, fault.New(fault.Forbidden, "Already Paid")
	}
	if err != nil {
		return nil, err
	}

	s.payments.Put(payment.ID, payment)
	return &paymentOutput{payment}, nil
}

// show is GET /payments/{id}: it shows a payment.
func (s *service) show(_ context.Context, in *showInput) (*paymentOutput, error) {
	payment, ok := s.payments.Get(in.ID)
	if !ok {
		return nil, fault.New(fault.NotFound, "Payment not found")
	}
	return &paymentOutput{payment}, nil
}

type (
	payInput  struct{ Body api.CreatePayment }
	showInput struct {
		ID string `path:"id" example:"7084ae0a-d386-4ecd-913d-17c72b408c2c"`
	}
	paymentOutput struct{ Body api.Payment }
)

func (s *service) register(a huma.API) {
	pay := web.Operation("create-payment", http.MethodPost, "/payments", "Pay for an order",
		http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusBadGateway, http.StatusGatewayTimeout)
	pay.Description = api.PaidOnce
	huma.Register(a, pay, s.pay)
	huma.Register(a, web.Operation("get-payment", http.MethodGet, "/payments/{id}", "Show a payment", http.StatusNotFound), s.show)
}

// settings are what it reads from its environment.
type settings struct {
	server.Config
	OrdersURL *url.URL
}

// Bind adds the variables to the set.
func (c *settings) Bind(v *config.Set) {
	c.Config.Bind(v)
	v.URL(&c.OrdersURL, "ORDER_SERVICE_URL", "http://orders-svc.api", "where orders-svc is")
}

func newServer(cfg settings, log *slog.Logger) *server.Server {
	s := &service{orders: api.NewOrders(cfg.OrdersURL), payments: recent.NewMap[api.Payment](kept)}
	return server.New(cfg.Config, server.Service{
		Name: name, About: about, Greeting: "Hi Mom!", Register: s.register,
		Timeout: 4 * time.Second, // below the gateway's, so that the gateway learns how it ended
		Close:   func() error { s.orders.Close(); return nil },
	}, log)
}
