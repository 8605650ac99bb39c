package route_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/koshop/koshop/internal/kit/route"
)

// A port that was given out is not given out again, nor one that a program has, nor one
// that an outgoing connection could have.
func TestFreePort(t *testing.T) {
	seen := map[int]bool{}
	for range 100 {
		port, err := route.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Errorf("port %d was given out twice", port)
		}
		seen[port] = true
		if port >= 30_000 {
			t.Errorf("an outgoing connection or a node port can take %d", port)
		}
		next := net.JoinHostPort("127.0.0.1", strconv.Itoa(port+1))
		if listener, err := net.Listen("tcp", next); err == nil {
			seen[port+1] = true
			defer listener.Close()
		}
	}
}
