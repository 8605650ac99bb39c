// Command user-svc signs users up, logs them in and issues the access tokens
// that api-gateway verifies.
//
// It is configured by its environment; -h lists the variables. It runs until
// SIGINT or SIGTERM.
package main

import (
	"log/slog"
	"os"

	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/users"
)

func main() {
	var cfg users.Config
	os.Exit(server.Main(users.Name, users.About, &cfg, func(log *slog.Logger) *server.Server {
		return users.New(cfg, log)
	}))
}
