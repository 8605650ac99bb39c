// Package users is user-svc: it signs users up, logs them in and issues the
// access tokens that the gateway verifies.
package users

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/config"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/token"
	"github.com/koshop/koshop/internal/shop/web"
)

// Name and About introduce the service.
const (
	Name  = "user-svc"
	About = "Signs users up, logs them in and publishes the keys that verify their tokens."
)

// schema is the service's own in a PostgreSQL that all services share.
const schema = "users"

// Config is the configuration of the service.
type Config struct {
	server.Config
	Database database.Source
	// KeyRotation is how long a key signs.
	KeyRotation time.Duration
	// LoginRate is how many passwords of one client are checked in a minute.
	LoginRate int
}

// Bind adds the variables to the set.
func (c *Config) Bind(v *config.Set) {
	c.Config.Bind(v)
	c.Database.Bind(v, Name)
	v.Duration(&c.KeyRotation, "KEY_ROTATION", "24h", "how long a key signs tokens before the next one does", 2*token.Lifetime, 90*24*time.Hour)
	v.Int(&c.LoginRate, "LOGIN_RATE", "300", "how many sign-ups and logins a minute one client may try, after the first 100", 1, 1_000_000)
}

// New returns the service.
func New(cfg Config, log *slog.Logger) *server.Server {
	db := database.New(cfg.Database, schema, migrations, log)
	s := &service{
		store: &store{db}, attempts: &attempts{db}, keys: &keys{db: db, rotation: cfg.KeyRotation, now: time.Now, log: log.With("service", Name)},
		hasher: newHasher(), limit: newLimit(cfg.LoginRate), log: log.With("service", Name),
	}
	return server.New(cfg.Config, server.Service{
		// Passwords are checked a few at a time; a class that logs in at once waits.
		Name: Name, About: About, Greeting: "user-svc is well", Timeout: 10 * time.Second,
		Register: s.register,
		Open: func(ctx context.Context) error {
			s.hasher.observe(telemetry.From(ctx))
			return db.Open(ctx)
		},
		Ready: db.Ready, Close: db.Close,
		Work: s.attempts.purge,
	}, log)
}

type service struct {
	store    *store
	attempts *attempts
	keys     *keys
	hasher   *hasher
	limit    *limit
	log      *slog.Logger
}

func (s *service) register(a huma.API) {
	huma.Register(a, web.LargeBody(web.Operation("create-user", http.MethodPost, "/users", "Sign up", http.StatusBadRequest, http.StatusTooManyRequests, http.StatusServiceUnavailable)), s.signUp)
	huma.Register(a, web.LargeBody(web.Operation("login", http.MethodPost, "/login", "Log in for an access token", http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable)), s.logIn)
	huma.Register(a, web.Operation("list-keys", http.MethodGet, "/.well-known/jwks.json", "List the public keys that verify tokens"), s.jwks)
}
