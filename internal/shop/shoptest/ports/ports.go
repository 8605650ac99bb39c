// Package ports finds ports for programs that tests start.
package ports

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// first is the lowest port that Free chooses. All of them lie below those that an
// outgoing connection can have: 32768 and more on Linux, 49152 and more elsewhere.
const (
	first = 10_000
	count = 10_000
)

// chosen is the number of the next port. It begins anywhere, since other tests run beside.
var chosen atomic.Uint32

func init() { chosen.Store(rand.Uint32N(count)) }

// Free returns a port of 127.0.0.1 on which nothing listens, another one each time.
func Free(tb testing.TB) int {
	tb.Helper()
	for range count {
		port := first + int(chosen.Add(1)%count)
		if listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			listener.Close()
			return port
		}
	}
	tb.Fatal("no port is free")
	return 0
}
