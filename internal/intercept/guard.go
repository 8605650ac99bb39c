//go:build unix

package intercept

import (
	"bytes"
	"fmt"
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
	stderr  bytes.Buffer
	close   func() error // returns when there is no intercept any more
}

func newGuard(service string) (*guard, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close() // The guard has its own copy.
	g := &guard{service: service, pipe: write, cmd: exec.Command("/bin/sh", "-c", guardScript, "sh", service)}
	g.cmd.Stdin, g.cmd.Stderr = read, &g.stderr
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Our terminal may be closed.
	g.close = sync.OnceValue(g.leave)
	if err := g.cmd.Start(); err != nil {
		write.Close()
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
	g.pipe.Close()
	err := g.cmd.Wait()
	if err != nil && !telepresence.NoIntercept(g.stderr.String()) {
		return fmt.Errorf("leaving the intercept: %w: run telepresence leave %s", telepresence.Reason(g.stderr.String(), err), g.service)
	}
	return nil
}
