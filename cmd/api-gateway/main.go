// Command api-gateway is the side of the shop that users see: products, and their
// own orders and payments behind an access token.
//
// It is configured by its environment; -h lists the variables. It runs until
// SIGINT or SIGTERM.
package main

import (
	"log/slog"
	"os"

	"github.com/koshop/koshop/internal/shop/gateway"
	"github.com/koshop/koshop/internal/shop/server"
)

func main() {
	var cfg gateway.Config
	os.Exit(server.Main(gateway.Name, gateway.About, &cfg, func(log *slog.Logger) *server.Server {
		return gateway.New(cfg, log)
	}))
}
