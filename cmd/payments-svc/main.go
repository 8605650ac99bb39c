// Command payments-svc takes payments for orders, one for each.
//
// It is configured by its environment; -h lists the variables. It runs until
// SIGINT or SIGTERM.
package main

import (
	"log/slog"
	"os"

	"github.com/koshop/koshop/internal/shop/payments"
	"github.com/koshop/koshop/internal/shop/server"
)

func main() {
	var cfg payments.Config
	os.Exit(server.Main(payments.Name, payments.About, &cfg, func(log *slog.Logger) *server.Server {
		return payments.New(cfg, log)
	}))
}
