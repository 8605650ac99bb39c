// Command cluster gives a bare Linux machine a real single-node Kubernetes and a local
// image registry, built from Go modules and Debian packages, and takes it away again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/koshop/koshop/cmd/cluster/internal/node"
)

const usage = `A real single-node Kubernetes with a local registry, on this machine.

Usage, in the directory of this program:
  go run . up     [flags]   bring the cluster up, or back up; when it is up, say so
  go run . down   [flags]   take it and all its traces away, but for what was built
  go run . status [flags]   say what runs

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	source, err := os.Getwd()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	dir := flags.String("dir", filepath.Join(source, "..", "..", ".cluster"), "`directory` to keep everything in")
	port := flags.Int("registry-port", 5001, "loopback `port` of the registry")
	purge := flags.Bool("purge", false, "down: remove what was built, too (it takes minutes to build again)")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	command := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: -h shows the usage", flags.Arg(0))
	}
	absolute, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	n, err := node.New(node.Options{Dir: absolute, Source: source, RegistryPort: *port, Out: os.Stdout})
	if err != nil {
		return err
	}
	switch command {
	case "up":
		return n.Up(ctx)
	case "down":
		return n.Down(ctx, *purge)
	case "status":
		return n.Status(ctx)
	}
	return fmt.Errorf("%q is no command: -h shows the usage", command)
}
