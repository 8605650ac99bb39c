package route

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
)

// The ports that FreePort chooses from lie below those that Linux (32768 to 60999), macOS
// and Windows (49152 to 65535) give to outgoing connections: any connection could take
// such a port before the program listens that is told of it. They also lie below the
// node ports of Kubernetes (30000 to 32767).
const (
	firstPort = 20_000
	ports     = 10_000
)

// chosen is the number of the next port. It begins anywhere, so that programs that start
// together look at different ports.
var chosen atomic.Uint32

func init() { chosen.Store(rand.Uint32N(ports)) }

// FreePort returns a loopback port that nothing listens on, another one each time. Another
// program may take it before the one does that is told of it.
func FreePort() (int, error) {
	for range ports {
		port := firstPort + int(chosen.Add(1)%ports)
		if listener, err := net.Listen("tcp", Loopback(port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("looking for a free port: none from %d to %d is free", firstPort, firstPort+ports-1)
}
