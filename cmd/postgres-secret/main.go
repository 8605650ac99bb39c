// Command postgres-secret makes sure that the Secret with the password of the
// in-cluster PostgreSQL exists. It runs as an init container before the
// database and leaves a Secret that exists as it is.
//
// It is configured by its environment; -h lists the variables.
package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/koshop/koshop/internal/shop/clustersecret"
	"github.com/koshop/koshop/internal/shop/program"
)

func main() {
	var cfg clustersecret.Config
	os.Exit(program.Program{
		Name:  "postgres-secret",
		About: "Makes sure that the Secret with the database's password exists.",
		Bind:  cfg.Bind,
		Run: func(ctx context.Context, stderr io.Writer) error {
			return clustersecret.Ensure(ctx, cfg, slog.New(slog.NewJSONHandler(stderr, nil)))
		},
	}.Main())
}
