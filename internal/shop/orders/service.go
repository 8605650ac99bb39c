// Package orders is orders-svc: it keeps orders and their status.
package orders

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/config"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/idempotency"
	"github.com/koshop/koshop/internal/shop/money"
	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/web"
)

// Name and About introduce the service.
const (
	Name  = "orders-svc"
	About = "Creates orders, shows them and keeps their status."
)

// schema is the service's own in a PostgreSQL that all services share.
const schema = "orders"

// Config is the configuration of the service.
type Config struct {
	server.Config
	Database database.Source
}

// Bind adds the variables to the set.
func (c *Config) Bind(v *config.Set) {
	c.Config.Bind(v)
	c.Database.Bind(v, Name)
}

// New returns the service.
func New(cfg Config, log *slog.Logger) *server.Server {
	db := database.New(cfg.Database, schema, migrations, log)
	s := &service{store: &store{db}, keys: &idempotency.Keys{DB: db}}
	return server.New(cfg.Config, server.Service{
		Name: Name, About: About, Greeting: "orders-svc is well", Timeout: 3 * time.Second,
		Register: s.register,
		Open:     db.Open, Ready: db.Ready, Close: db.Close,
		Work: s.keys.Purge,
	}, log)
}

type service struct {
	store *store
	keys  *idempotency.Keys
}

type (
	createInput struct {
		api.Idempotency
		Body api.CreateOrder
	}
	orderOutput struct{ Body api.Order }
	listOutput  struct{ Body []api.Order }
	idInput     struct {
		ID string `path:"id" example:"d7f4deda-d2f0-40a5-99a0-d0287a855edf"`
	}
	keyInput struct {
		api.Idempotency
		UserID string `query:"user_id" required:"true" maxLength:"64"`
	}
	userInput struct {
		UserID string `query:"user_id" required:"true" maxLength:"64"`
	}
	amountInput struct {
		ID   string `path:"id"`
		Body api.FixAmount
	}
	statusInput struct {
		ID        string `path:"id"`
		Status    string `query:"status" required:"true" enum:"pending,paid"`
		PaymentID string `query:"payment_id" maxLength:"64" doc:"The payment on whose behalf the order becomes paid; only one can win"`
		Amount    string `query:"amount" pattern:"^[0-9]{1,7}([.][0-9]{1,2})?$" patternDescription:"money" doc:"The amount of the payment; it must be that of the order, which gets it if it has none" example:"109.08"`
	}
	afterInput struct {
		After string `query:"after" maxLength:"64" doc:"The id of the last order of the page before"`
	}
	paymentInput struct {
		PaymentID string `path:"payment_id" example:"7084ae0a-d386-4ecd-913d-17c72b408c2c"`
	}
	replaceInput struct {
		ID        string `path:"id"`
		Old       string `query:"old" maxLength:"64" doc:"The payment that the order names now; empty if it names none"`
		PaymentID string `query:"payment_id" required:"true" minLength:"1" maxLength:"64" doc:"The payment that did pay for the order"`
	}
)

func (s *service) register(a huma.API) {
	huma.Register(a, web.LargeBody(web.Operation("create-order", http.MethodPost, "/orders", "Create an order", http.StatusBadRequest, http.StatusConflict)), s.create)
	huma.Register(a, web.Operation("get-order-by-key", http.MethodGet, "/orders/by-key", "Show the answer to an earlier request with an Idempotency-Key", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *keyInput) (*orderOutput, error) {
			return output(idempotency.Find[api.Order](ctx, s.keys, idempotency.Request{User: in.UserID, Key: in.Key, Fingerprint: in.Fingerprint}))
		})
	huma.Register(a, web.Operation("list-orders", http.MethodGet, "/orders", "List a user's latest orders, newest first"), s.list)
	huma.Register(a, web.Operation("get-order", http.MethodGet, "/orders/{id}", "Show an order", http.StatusNotFound),
		func(ctx context.Context, in *idInput) (*orderOutput, error) {
			return output(s.store.get(ctx, in.ID))
		})
	huma.Register(a, web.Operation("fix-amount", http.MethodPatch, "/orders/{id}/amount", "Fix the amount of an order that has none", http.StatusBadRequest, http.StatusNotFound), s.fixAmount)
	huma.Register(a, web.Operation("set-status", http.MethodPatch, "/orders/{id}/status", "Set the status of an order", http.StatusNotFound, http.StatusConflict),
		s.setStatus)
	s.registerPaid(a)
}

// registerPaid adds what payments-svc needs to compare its payments with the orders.
func (s *service) registerPaid(a huma.API) {
	huma.Register(a, web.Operation("list-paid-orders", http.MethodGet, "/orders/paid", "List paid orders, in the order of their ids"),
		func(ctx context.Context, in *afterInput) (*listOutput, error) {
			return listed(s.store.paid(ctx, in.After, api.Page))
		})
	huma.Register(a, web.Operation("get-order-paid-by", http.MethodGet, "/orders/paid-by/{payment_id}", "Show the order that a payment paid", http.StatusNotFound),
		func(ctx context.Context, in *paymentInput) (*orderOutput, error) {
			return output(s.store.paidBy(ctx, in.PaymentID))
		})
	huma.Register(a, web.Operation("replace-payment", http.MethodPatch, "/orders/{id}/payment", "Set the payment of a paid order that names another one", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *replaceInput) (*orderOutput, error) {
			return output(s.store.replacePayment(ctx, in.ID, in.Old, in.PaymentID))
		})
}

func (s *service) create(ctx context.Context, in *createInput) (*orderOutput, error) {
	var amount *money.Amount
	if in.Body.Amount != nil {
		a, err := in.Body.Amount.Amount()
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "amount: %v", err)
		}
		amount = &a
	}
	order := api.Order{UserID: in.Body.UserID, ProductIDs: in.Body.ProductIDs, Status: api.StatusPending, Amount: amount}
	fingerprint, err := in.Of(order)
	if err != nil {
		return nil, err
	}
	request := idempotency.Request{User: order.UserID, Key: in.Key, Fingerprint: fingerprint}
	return output(idempotency.Do(ctx, s.keys, request, func(ctx context.Context, id string) (api.Order, error) {
		order.ID = id
		return s.store.create(ctx, order)
	}))
}

func (s *service) fixAmount(ctx context.Context, in *amountInput) (*orderOutput, error) {
	amount, err := in.Body.Amount.Amount()
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "amount: %v", err)
	}
	return output(s.store.fixAmount(ctx, in.ID, amount))
}

func (s *service) setStatus(ctx context.Context, in *statusInput) (*orderOutput, error) {
	by := payer{paymentID: in.PaymentID}
	if in.Amount != "" {
		amount, err := money.Parse(in.Amount)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "amount: %v", err)
		}
		if amount < 1 { // The order would have the amount 0 for good.
			return nil, fault.New(fault.Invalid, "amount: must be at least 0.01")
		}
		by.amount = &amount
	}
	return output(s.store.setStatus(ctx, in.ID, in.Status, by))
}

func (s *service) list(ctx context.Context, in *userInput) (*listOutput, error) {
	return listed(s.store.byUser(ctx, in.UserID))
}

func listed(orders []api.Order, err error) (*listOutput, error) {
	if err != nil {
		return nil, err
	}
	return &listOutput{orders}, nil
}

func output(order api.Order, err error) (*orderOutput, error) {
	if err != nil {
		return nil, err
	}
	return &orderOutput{order}, nil
}
