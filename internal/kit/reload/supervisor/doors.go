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
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/route"
)

// doors are the ports of the container at which the supervisor listens in the place
// of the program. Each leads to the instance that serves. A door opens when the program
// listens for the first time: until then, as without a supervisor, nobody does.
type doors struct {
	name     string
	all      map[int32]*door
	loopback map[int32]bool // those that only the pod itself is to reach
	host     string         // where the program listens
}

// patience is how long a request waits for a version that cannot start beside the one
// before: some take seconds to end and to start.
const patience = 15 * time.Second

type door struct {
	pool     *route.Pool
	listener *route.Listener // nil until it opens
}

func newDoors(c wire.Container, name string, args []string) *doors {
	told := variables(os.Environ())
	d := &doors{name: name, all: map[int32]*door{}, loopback: loopbackOnly(told, args, c.PORT), host: programHost(told)}
	for _, port := range c.Ports {
		d.all[port] = &door{pool: route.NewPool(name).WaitFor(patience)}
	}
	return d
}

// open listens on a port: on all addresses, or on the loopback address only if that is
// what the program is told.
func (d *doors) open(port int32) error {
	door := d.all[port]
	if door == nil || door.listener != nil {
		return nil
	}
	host := ""
	switch {
	case d.loopback[port]:
		host = "127.0.0.1"
	case d.host != "127.0.0.1":
		host = d.host
	}
	listener, err := route.ListenAny(net.JoinHostPort(host, strconv.Itoa(int(port))), door.pool)
	if err != nil {
		return fmt.Errorf("listening in the place of %s: %w", d.name, err)
	}
	door.listener = listener
	return nil
}

// shut returns the ports whose doors are not open yet.
func (d *doors) shut() []int32 {
	return slices.DeleteFunc(d.ports(), func(port int32) bool { return d.all[port].listener != nil })
}

// hosts are the variables by which programs are told on which address they listen, at
// the port that PORT says.
var hosts = []string{"HOST", "BIND", "BIND_ADDRESS", "BIND_ADDR", "LISTEN_HOST"}

// loopbackOnly returns the ports of which a program is told with no other host than the
// pod's own loopback address. A URL is where others are sent to.
func loopbackOnly(all map[string]string, args []string, port int32) map[int32]bool {
	only := map[int32]bool{}
	for _, address := range rewrite.Find(append(rewrite.Variables(all), rewrite.Arguments(args)...), rewrite.IsLocal) {
		if address.Scheme == "" {
			before, isKnown := only[address.Port]
			only[address.Port] = isLoopback(address.Host) && (before || !isKnown)
		}
	}
	for _, name := range hosts {
		only[port] = only[port] || isLoopback(all[name])
	}
	return only
}

// programHost returns the address at which the program listens if it is told of one of
// the pod's own, such as status.podIP; otherwise it is the loopback address.
func programHost(all map[string]string) string {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, name := range hosts {
		ip := net.ParseIP(all[name])
		isOwn := func(a net.Addr) bool {
			network, ok := a.(*net.IPNet)
			return ok && network.IP.Equal(ip)
		}
		if ip != nil && !ip.IsLoopback() && slices.ContainsFunc(own, isOwn) {
			return ip.String()
		}
	}
	return "127.0.0.1"
}

func isLoopback(host string) bool {
	return strings.HasPrefix(host, "127.") || host == "localhost" || host == "[::1]" || host == "::1"
}

// ports are those of the container that have a door, sorted.
func (d *doors) ports() []int32 { return slices.Sorted(maps.Keys(d.all)) }

// lead has all doors lead to an instance; nil means to none, so that requests wait.
func (d *doors) lead(to *instance) {
	for port, door := range d.all {
		if to == nil {
			door.pool.Set(nil)
			continue
		}
		door.pool.Set([]*route.Endpoint{to.endpoints[port]})
	}
}

// remove takes the door of a port away, which the program is to have itself, and
// reports whether there was one.
func (d *doors) remove(port int32) bool {
	door, found := d.all[port]
	if found && door.listener != nil {
		door.listener.Close(canceled())
	}
	delete(d.all, port)
	return found
}

// closeWith closes each door when a program that is to end takes no connections at its
// port any more, so that clients see that, too, and go to another pod. What is in flight
// finishes until ctx ends.
func (d *doors) closeWith(ctx context.Context, ending *instance) {
	var closing sync.WaitGroup
	for port, door := range d.all {
		if door.listener == nil {
			continue
		}
		closing.Go(func() {
			ending.untilDeaf(port)
			door.pool.GiveUp()
			door.listener.Close(ctx)
		})
	}
	closing.Wait()
}

// canceled is for what is not to be waited for.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
