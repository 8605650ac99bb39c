// Command orders-svc creates orders, shows them and keeps their status.
//
// It is configured by its environment; -h lists the variables. It runs until
// SIGINT or SIGTERM.
package main

import (
	"log/slog"
	"os"

	"github.com/koshop/koshop/internal/shop/orders"
	"github.com/koshop/koshop/internal/shop/server"
)

func main() {
	var cfg orders.Config
	os.Exit(server.Main(orders.Name, orders.About, &cfg, func(log *slog.Logger) *server.Server {
		return orders.New(cfg, log)
	}))
}
