// Package payments is payments-svc: it takes payments for orders, one for each.
package payments

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/config"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/idempotency"
	"github.com/koshop/koshop/internal/shop/recent"
	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

// Name and About introduce the service.
const (
	Name  = "payments-svc"
	About = "Takes payments for orders, one for each, and shows them."
)

// timeout is below the 4 s that the gateway waits for an answer, so that the gateway
// learns how a payment ended.
const timeout = 3500 * time.Millisecond

// schema is the service's own in a PostgreSQL that all services share.
const schema = "payments"

// Config is the configuration of the service.
type Config struct {
	server.Config
	Database  database.Source
	OrdersURL *url.URL
	// SettleInterval is how long a payment must be pending before it counts as left
	// over, and is settled without its own request. Such payments are looked for
	// twice in this time.
	SettleInterval time.Duration
	// ReconcileInterval is how often a page of the payments is compared with the
	// orders.
	ReconcileInterval time.Duration
}

// Bind adds the variables to the set.
func (c *Config) Bind(v *config.Set) {
	c.Config.Bind(v)
	c.Database.Bind(v, Name)
	v.URL(&c.OrdersURL, "ORDER_SERVICE_URL", "http://orders-svc.api", "where orders-svc is")
	v.Duration(&c.SettleInterval, "SETTLE_INTERVAL", "1s", "after how long to settle a payment that a crash left pending", time.Second, time.Hour)
	v.Duration(&c.ReconcileInterval, "RECONCILE_INTERVAL", "5s", "how often to compare a page of the payments with the orders", time.Second, time.Hour)
}

// New returns the service.
func New(cfg Config, log *slog.Logger) *server.Server {
	db := database.New(cfg.Database, schema, migrations, log)
	s := &service{keys: &idempotency.Keys{DB: db}, cashier: &cashier{
		store: &store{db}, orders: api.NewOrders(cfg.OrdersURL), log: log.With("service", Name), named: recent.NewMap[struct{}](named), by: byRequest,
	}}
	reconciler := *s.cashier
	reconciler.by = byReconciler
	leftOvers := &leftOvers{cashier: &reconciler, counts: &settlements{}}
	return server.New(cfg.Config, server.Service{
		Name: Name, About: About, Greeting: "Hi Mom!", Timeout: timeout,
		Register: s.register,
		Open: func(ctx context.Context) error {
			if err := db.Open(ctx); err != nil {
				return err
			}
			leftOvers.observe(telemetry.From(ctx)) // It reads from the database.
			return nil
		},
		Ready: db.Ready,
		Work: func(ctx context.Context) {
			var all sync.WaitGroup
			defer all.Wait()
			all.Go(func() { leftOvers.settleAll(ctx, cfg.SettleInterval) })
			all.Go(func() { leftOvers.expireAll(ctx) })
			all.Go(func() { reconciler.reconcile(ctx, cfg.ReconcileInterval) })
			all.Go(func() { s.keys.Purge(ctx) })
		},
		Close: func() error {
			s.cashier.orders.Close()
			return db.Close()
		},
	}, log)
}

type service struct {
	cashier *cashier
	keys    *idempotency.Keys
}

type (
	createInput struct {
		api.Idempotency
		Body api.CreatePayment
	}
	keyInput struct {
		api.Idempotency
		UserID string `query:"user_id" required:"true" maxLength:"64"`
	}
	idInput struct {
		ID string `path:"id" example:"7084ae0a-d386-4ecd-913d-17c72b408c2c"`
	}
	paymentOutput struct{ Body api.Payment }
)

func (s *service) register(a huma.API) {
	pay := web.Operation("create-payment", http.MethodPost, "/payments", "Pay for an order",
		http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusBadGateway, http.StatusGatewayTimeout)
	pay.Description = api.PaidOnce
	huma.Register(a, pay, s.create)
	huma.Register(a, web.Operation("get-payment-by-key", http.MethodGet, "/payments/by-key", "Show the answer to an earlier request with an Idempotency-Key", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *keyInput) (*paymentOutput, error) {
			return output(idempotency.Find[api.Payment](ctx, s.keys, idempotency.Request{User: in.UserID, Key: in.Key, Fingerprint: in.Fingerprint}))
		})
	huma.Register(a, web.Operation("get-payment", http.MethodGet, "/payments/{id}", "Show a payment", http.StatusNotFound, http.StatusBadGateway, http.StatusGatewayTimeout),
		func(ctx context.Context, in *idInput) (*paymentOutput, error) {
			return output(s.cashier.find(ctx, in.ID))
		})
}

func (s *service) create(ctx context.Context, in *createInput) (*paymentOutput, error) {
	amount, err := in.Body.Amount.Amount()
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "amount: %v", err)
	}
	p := api.Payment{UserID: in.Body.UserID, OrderID: in.Body.OrderID, Amount: amount}
	fingerprint, err := in.Of(p)
	if err != nil {
		return nil, err
	}
	request := idempotency.Request{User: p.UserID, Key: in.Key, Fingerprint: fingerprint}
	return output(idempotency.Do(ctx, s.keys, request, func(ctx context.Context, id string) (api.Payment, error) {
		p.ID = id
		return s.cashier.pay(ctx, p)
	}))
}

func output(p api.Payment, err error) (*paymentOutput, error) {
	if err != nil {
		return nil, err
	}
	return &paymentOutput{p}, nil
}
