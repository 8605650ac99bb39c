// Command product-svc shows the catalogue of the shop and searches it.
//
// It is configured by its environment; -h lists the variables. It runs until
// SIGINT or SIGTERM.
package main

import (
	"log/slog"
	"os"

	"github.com/koshop/koshop/internal/shop/products"
	"github.com/koshop/koshop/internal/shop/server"
)

func main() {
	var cfg products.Config
	os.Exit(server.Main(products.Name, products.About, &cfg, func(log *slog.Logger) *server.Server {
		return products.New(cfg, log)
	}))
}
