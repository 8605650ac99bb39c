// Package program is what the mains have in common.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/koshop/koshop/internal/shop/config"
)

// Program is a program that is configured by its environment.
type Program struct {
	Name  string // of the command
	About string // one sentence
	Bind  func(v *config.Set)
	Run   func(ctx context.Context, stderr io.Writer) error
}

// Main parses the configuration, runs until SIGINT or SIGTERM ends the context,
// prints an error once and returns the exit code: 0 for a clean end or -h, 2
// for a wrong configuration, 1 for anything else.
func (p Program) Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	return p.main(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

func (p Program) main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		return code
	}
	vars := config.New(p.Name, p.About)
	p.Bind(vars)
	if err := vars.Parse(args, stdout); errors.Is(err, config.ErrHelp) {
		return 0
	} else if err != nil {
		return fail(2, err)
	}
	if err := p.Run(ctx, stderr); err != nil {
		return fail(1, err)
	}
	return 0
}
