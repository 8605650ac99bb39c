package route

import (
	"net"
	"strconv"
)

// Loopback returns the address of a port of this machine that no other can reach.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
