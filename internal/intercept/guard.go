//go:build unix

package intercept

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/koshop/koshop/internal/telepresence"
)

// guardScript waits until nobody holds the other end of the pipe any more, and
// then leaves the intercept, if there is one and it is ours: what comes through the
// pipe says that it is not. Without a connection there is none, and leaving would
// make a connection.
const guardScript = `trap '' HUP INT TERM
if [ -n "$(cat)" ]; then exit; fi
if telepresence status --output=json | grep -q '"status": *"Connected"'; then exec telepresence leave "$1"; fi`

// guard is a child process that outlives us, whatever we die of, for as long as
// it takes to leave the intercept.
type guard struct {
	service string
	pipe    *os.File // held by us, and by each command that makes an intercept
	cmd     *exec.Cmd
	said    *os.File     // its stderr: a pipe would break when we die, and it with that
	close   func() error // returns when there is no intercept any more
}

func newGuard(service string) (*guard, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close() // The guard has its own copy.
	said, err := os.CreateTemp("", "intercept-guard-*")
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("starting the guard of the intercept: %w", err)
	}
	os.Remove(said.Name()) // It is there for as long as it is open.
	g := &guard{service: service, pipe: write, said: said, cmd: exec.Command("/bin/sh", "-c", guardScript, "sh", service)}
	g.cmd.Stdin, g.cmd.Stderr = read, said
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Our terminal may be closed.
	g.close = sync.OnceValue(g.leave)
	if err := g.cmd.Start(); err != nil {
		write.Close()
		said.Close()
		return nil, fmt.Errorf("starting the guard of the intercept: %w", err)
	}
	return g, nil
}

// spare makes the guard leave an intercept as it is.
func (g *guard) spare() error {
	_, err := g.pipe.WriteString("not ours\n")
	return err
}

func (g *guard) leave() error {
	defer g.said.Close()
	g.pipe.Close()
	failed := g.cmd.Wait()
	if failed == nil {
		return nil
	}
	said, err := io.ReadAll(io.NewSectionReader(g.said, 0, 1<<16))
	if telepresence.NoIntercept(string(said)) {
		return nil
	}
	return errors.Join(err, fmt.Errorf("leaving the intercept: %w: run telepresence leave %s", telepresence.Reason(string(said), failed), g.service))
}
