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
	s := &service{store: &Store{}}
	return server.New(cfg.Config, server.Service{
		Name: Name, About: About, Greeting: "orders-svc is well", Timeout: 3 * time.Second,
		Register: s.register,
		Open: func(ctx context.Context) (err error) {
			s.store.db, err = database.Open(ctx, cfg.Database, schema, migrations, log)
			return err
		},
		Ready: func(ctx context.Context) error { return s.store.db.PingContext(ctx) },
		Close: func() error { return s.store.db.Close() },
	}, log)
}

type service struct{ store *Store }

type (
	createInput struct{ Body api.CreateOrder }
	orderOutput struct{ Body api.Order }
	listOutput  struct{ Body []api.Order }
	idInput     struct {
		ID string `path:"id" example:"d7f4deda-d2f0-40a5-99a0-d0287a855edf"`
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
	}
)

func (s *service) register(a huma.API) {
	huma.Register(a, web.LargeBody(web.Operation("create-order", http.MethodPost, "/orders", "Create an order", http.StatusBadRequest)), s.create)
	huma.Register(a, web.Operation("list-orders", http.MethodGet, "/orders", "List a user's latest orders, newest first"), s.list)
	huma.Register(a, web.Operation("get-order", http.MethodGet, "/orders/{id}", "Show an order", http.StatusNotFound),
		func(ctx context.Context, in *idInput) (*orderOutput, error) {
			return output(s.store.Get(ctx, in.ID))
		})
	huma.Register(a, web.Operation("fix-amount", http.MethodPatch, "/orders/{id}/amount", "Fix the amount of an order that has none", http.StatusBadRequest, http.StatusNotFound), s.fixAmount)
	huma.Register(a, web.Operation("set-status", http.MethodPatch, "/orders/{id}/status", "Set the status of an order", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *statusInput) (*orderOutput, error) {
			return output(s.store.SetStatus(ctx, in.ID, in.Status, in.PaymentID))
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
	return output(s.store.Create(ctx, in.Body.UserID, in.Body.ProductIDs, amount))
}

func (s *service) fixAmount(ctx context.Context, in *amountInput) (*orderOutput, error) {
	amount, err := in.Body.Amount.Amount()
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "amount: %v", err)
	}
	return output(s.store.FixAmount(ctx, in.ID, amount))
}

func (s *service) list(ctx context.Context, in *userInput) (*listOutput, error) {
	orders, err := s.store.ByUser(ctx, in.UserID)
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
