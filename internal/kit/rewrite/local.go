package rewrite

import (
	"net"
	"strconv"
)

// Target returns the loopback address of what a host name leads to; scheme is
// "" and port is 0 where a value does not say. It reports false for a port
// that is not there.
type Target func(scheme string, port int32) (string, bool)

// IsLocal tells the hosts by which a pod listens, or reaches itself.
func IsLocal(host string) bool {
	switch host {
	case "", "*", "localhost", "127.0.0.1", "0.0.0.0", "[::]", "[::1]", "::", "::1":
		return true
	}
	return false
}

// Local finds the pod's own ports by the hosts that IsLocal tells, and leaves
// other hosts to next.
func Local(ports func(int32) (int, bool), next func(string) Target) func(string) Target {
	return func(host string) Target {
		if !IsLocal(host) {
			return next(host)
		}
		return func(scheme string, port int32) (string, bool) {
			if port == 0 {
				port = defaultPorts[scheme]
			}
			here, found := ports(port)
			return net.JoinHostPort("127.0.0.1", strconv.Itoa(here)), found
		}
	}
}

// defaultPorts are the ports that URLs leave out, by scheme.
var defaultPorts = map[string]int32{
	"http": 80, "ws": 80, "https": 443, "wss": 443, "postgres": 5432, "postgresql": 5432, "mysql": 3306,
	"redis": 6379, "amqp": 5672, "nats": 4222, "mongodb": 27017,
}

// DefaultPort returns the port that a URL of the scheme means if it names none.
func DefaultPort(scheme string) (port int32, known bool) {
	port, known = defaultPorts[scheme]
	return port, known
}
