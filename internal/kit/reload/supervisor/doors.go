//go:build unix

package supervisor

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/route"
)

// doors are the ports of the container at which the supervisor listens in the place
// of the program. Each leads to the instance that serves.
type doors struct {
	open map[int32]*door
}

type door struct {
	pool     *route.Pool
	listener *route.Listener
}

// openDoors listens on the ports of a container: on all addresses, or on the loopback
// address only if that is what the program is told.
func openDoors(c wire.Container, name string, args []string) (*doors, error) {
	loopback := loopbackOnly(append(rewrite.Variables(variables(os.Environ())), rewrite.Arguments(args)...))
	d := &doors{open: map[int32]*door{}}
	for _, port := range c.Ports {
		host := ""
		if loopback[port] {
			host = "127.0.0.1"
		}
		pool := route.NewPool(name)
		listener, err := route.ListenAny(net.JoinHostPort(host, strconv.Itoa(int(port))), pool)
		if err != nil {
			d.close(canceled())
			return nil, fmt.Errorf("listening in the place of %s: %w", name, err)
		}
		d.open[port] = &door{pool: pool, listener: listener}
	}
	return d, nil
}

// loopbackOnly returns the ports that settings name with no other host than the
// pod's own loopback address.
func loopbackOnly(settings []rewrite.Setting) map[int32]bool {
	only := map[int32]bool{}
	for _, address := range rewrite.Find(settings, rewrite.IsLocal) {
		isLoopback := strings.HasPrefix(address.Host, "127.") || address.Host == "localhost" || address.Host == "[::1]"
		before, isKnown := only[address.Port]
		only[address.Port] = isLoopback && (before || !isKnown)
	}
	return only
}

// ports are those of the container that have a door, sorted.
func (d *doors) ports() []int32 { return slices.Sorted(maps.Keys(d.open)) }

// lead has all doors lead to an instance; nil means to none, so that requests wait.
func (d *doors) lead(to *instance) {
	for port, door := range d.open {
		if to == nil {
			door.pool.Set(nil)
			continue
		}
		door.pool.Set([]*route.Endpoint{to.endpoints[port]})
	}
}

// remove closes the door of a port, which the program is to have itself, and reports
// whether there was one.
func (d *doors) remove(port int32) bool {
	door, found := d.open[port]
	if found {
		door.listener.Close(canceled())
		delete(d.open, port)
	}
	return found
}

// close lets what is in flight finish until ctx ends.
func (d *doors) close(ctx context.Context) {
	var closing sync.WaitGroup
	for _, door := range d.open {
		closing.Go(func() { door.listener.Close(ctx) })
	}
	closing.Wait()
}

// canceled is for what is not to be waited for.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
