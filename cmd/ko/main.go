// Command ko is upstream ko with Kustomize: every command and flag of
// github.com/google/ko, -k on apply, create, resolve and delete, and the commands
// up, which needs no cluster, reload, which needs no new image, and diff, which shows what
// apply would change.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/koshop/koshop/internal/kit/cli"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		os.Exit(cli.ExitCode(err)) // The command has printed it.
	}
}

func run(args []string) error {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup wants to live on without a terminal.
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, stop) // A second signal ends the program at once.
	return cli.New(args).ExecuteContext(ctx)
}
