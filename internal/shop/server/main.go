package server

import (
	"context"
	"io"
	"log/slog"

	"github.com/koshop/koshop/internal/shop/config"
	"github.com/koshop/koshop/internal/shop/program"
	"github.com/koshop/koshop/internal/shop/requestid"
)

// Binder is a service's configuration: one that embeds Config.
type Binder interface {
	Bind(v *config.Set)
	Level() slog.Level
}

// Main is the whole main of a service; it returns the exit code. The log goes
// to stderr, as JSON.
func Main(name, about string, cfg Binder, build func(log *slog.Logger) *Server) int {
	return program.Program{
		Name: name, About: about, Bind: cfg.Bind,
		Run: func(ctx context.Context, stderr io.Writer) error {
			json := slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: cfg.Level()})
			return build(slog.New(requestid.LogHandler(json))).Run(ctx)
		},
	}.Main()
}
