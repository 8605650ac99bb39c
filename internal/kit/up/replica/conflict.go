package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/route"
)

// conflicts are the ports that a program says it could not have: it may go on
// without them, and look ready.
type conflicts struct {
	host *host
	to   io.Writer // gets what the program prints

	mu    sync.Mutex
	group int              // of the program's processes; 0 until it has started
	ports map[int]struct{} // that it could not have
	own   bool             // whether the version before has one of them
	shown error
}

// conflictsEvery is how often it is looked who has a port by now.
const conflictsEvery = time.Second

// Write takes a line of the program.
func (c *conflicts) Write(line []byte) (int, error) {
	if port := route.PortInUse(string(line)); port != 0 {
		c.mu.Lock()
		c.ports[port] = struct{}{}
		c.look()
		c.mu.Unlock()
	}
	return c.to.Write(line)
}

// started takes the process group of the program.
func (c *conflicts) started(group int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.group = group
	c.look()
}

// follow looks again and again until ctx ends. It calls restart when the version
// before has left a port, which the program does not take by itself.
func (c *conflicts) follow(ctx context.Context, restart func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(conflictsEvery):
		}
		c.mu.Lock()
		free := c.look()
		if c.own && free != 0 {
			restart(fmt.Errorf("port %d is free now, which the version before had", free))
		}
		c.mu.Unlock()
	}
}

// look shows who has the ports, and returns one that is free now. A port that
// the program has itself is none: many listen on one address after the other, or
// try again.
func (c *conflicts) look() (free int) {
	if c.group == 0 {
		return 0
	}
	var shown error
	for port := range c.ports {
		taken, isTaken := errors.AsType[*portTaken](c.host.ports.check(port))
		switch {
		case isTaken && taken.group == c.group:
			delete(c.ports, port)
			continue
		case isTaken && taken.slot == c.host.id:
			taken.holder, c.own = versionBefore, true
		case !isTaken:
			taken, free = &portTaken{port: port, holder: "another program when it started"}, port
		}
		shown = taken
	}
	c.shown = shown
	c.host.row.Conflicts(shown)
	return free
}

// versionBefore is who has a port that both versions listen on.
const versionBefore = "the version before"

// lacksRoom reports whether a program has ended because the version before has a
// port that it listens on.
func lacksRoom(err error) bool {
	taken, isTaken := errors.AsType[*portTaken](err)
	return isTaken && taken.holder == versionBefore
}

// explain adds the ports to the reason for which the program has ended.
func (c *conflicts) explain(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shown == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, c.shown)
}
