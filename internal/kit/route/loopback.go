package route

import (
	"fmt"
	"net"
	"strconv"
)

// Loopback returns the address of a port of this machine that no other can reach.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// FreePort returns a loopback port that nothing listens on. Another program may take it
// before the one does that is told of it.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", Loopback(0))
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
