//go:build unix

// Command intercept runs a service of an overlay on this machine, and leads the
// cluster's requests to it for as long as it runs. See package intercept; the
// target `make intercept` is the usual way to start it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/koshop/koshop/internal/intercept"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("intercept", flag.ContinueOnError)
	o := intercept.Options{Out: os.Stdout}
	flags.StringVar(&o.Ko, "ko", "bin/ko", "the `path` of ko")
	flags.StringVar(&o.Kustomization, "k", "kustomize/overlays/dev", "the kustomization `directory` that the service is in")
	flags.StringVar(&o.State, "state", ".ko", "the `directory` that keeps volumes and executables")
	flags.IntVar(&o.Port, "port", 8080, "the `port` of this machine that the service answers on")
	flags.StringVar(&o.Header, "header", "", "lead only requests with this header here, as in `baggage=attendee=ada`")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: intercept [flags] SERVICE")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		os.Exit(2) // It has been printed.
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("%d services are named, expected one, such as payments-svc", flags.NArg())
	}
	o.Service = flags.Arg(0)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup wants to live on without a terminal.
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, stop) // A second signal ends the program at once.
	go func() {
		orphaned(os.Getppid())
		stop()
	}()
	return intercept.Run(ctx, o)
}

// orphaned returns when the parent has died: a make that is killed tells nobody.
func orphaned(parent int) {
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
}
