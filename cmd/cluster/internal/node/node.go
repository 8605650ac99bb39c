// Package node makes the machine it runs on a single-node Kubernetes with a registry, and
// takes it away again.
package node

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/koshop/koshop/cmd/cluster/internal/daemon"
)

const (
	// name is the node's, the cluster's and the kubectl context's.
	name   = "koshop"
	bridge = "koshop0"

	podCIDR     = "10.244.0.0/24"
	serviceCIDR = "10.96.0.0/16"
	apiService  = "10.96.0.1" // the first address of serviceCIDR is the API server's
	dnsAddress  = "10.96.0.10"
	apiPort     = "6443"
)

// Options are what the user chooses.
type Options struct {
	// Dir is where everything is kept, as an absolute path.
	Dir string
	// Source is the directory of this module: its programs are built.
	Source string
	// RegistryPort is the loopback port of the registry.
	RegistryPort int
	// Out is told every step.
	Out io.Writer
}

// Node is one cluster's place on this machine.
type Node struct {
	Options
	daemon.Supervisor
	address string // the machine's own, which the API server is reached at
	mtu     int    // of the interface that has it
}

// Unix socket paths end at 107 bytes, and the longest below the directory has 45. The
// names reach configuration files and environment variables, where other characters mean something.
const maxDir = 60

var plainPath = regexp.MustCompile(`^/[A-Za-z0-9/._-]+$`)

// New checks the options. Nothing is touched yet.
func New(options Options) (*Node, error) {
	if !plainPath.MatchString(options.Dir) || len(options.Dir) > maxDir {
		return nil, fmt.Errorf("the directory %q does not do: give another by --dir, an absolute path of at most %d letters, digits and ./_-", options.Dir, maxDir)
	}
	if options.RegistryPort < 1 || options.RegistryPort > 65535 {
		return nil, fmt.Errorf("--registry-port=%d is no port: give one from 1 to 65535", options.RegistryPort)
	}
	n := &Node{Options: options}
	n.Supervisor = daemon.Supervisor{RunDir: n.path("run"), LogDir: n.path("log")}
	return n, nil
}

func (n *Node) path(elements ...string) string {
	return filepath.Join(append([]string{n.Dir}, elements...)...)
}

func (n *Node) binary(program string) string { return n.path("bin", program) }

// registry is the registry's address as images are named by it.
func (n *Node) registry() string { return fmt.Sprintf("localhost:%d", n.RegistryPort) }

func (n *Node) say(format string, args ...any) {
	fmt.Fprintf(n.Out, format+"\n", args...)
}

// step runs one step and says what it was and how long it took.
func (n *Node) step(what string, run func() error) error {
	start := time.Now()
	if err := run(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	n.say("%-44s %5.1fs", what, time.Since(start).Seconds())
	return nil
}

// lock keeps two commands from working on the same directory at once. It goes with the
// process that holds it.
func (n *Node) lock() (release func() error, err error) {
	if err := os.MkdirAll(n.path("bin"), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(n.path("bin", ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("another command is at work in %s: wait for it to end", n.Dir)
	}
	return file.Close, nil
}

// await tries check until it succeeds, fails for good or the time is over. A program of
// the node that ends meanwhile ends the wait, with the log to look into.
func (n *Node) await(ctx context.Context, limit time.Duration, programs []daemon.Program, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var problem error // the last one that is not the end of the wait
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			problem = err
		}
		for _, p := range programs {
			if !n.Running(p.Name) {
				return fmt.Errorf("%s has ended: %s says why", p.Name, n.LogFile(p.Name))
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w (logs: %s)", limit, problem, n.LogDir)
		case <-tick.C:
		}
	}
}
