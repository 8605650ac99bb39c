package route_test

import (
	"testing"

	"github.com/koshop/koshop/internal/kit/route"
)

func TestPortThatALineSaysIsTaken(t *testing.T) {
	for line, want := range map[string]int{
		"listen tcp :9090: bind: address already in use\n":                                9090,
		"2026/11/26 05:00:00 listen tcp 127.0.0.1:9090: bind: address already in use":     9090,
		"listen tcp [::]:9090: bind: address already in use":                              9090,
		`{"level":"error","err":"listen tcp :80: bind: address already in use","code":7}`: 80,
		"OSError: [Errno 98] Address already in use: ('0.0.0.0', 9090)":                   0, // It does not say so before.
		"listen unix /tmp/x.sock: bind: address already in use":                           0,
		"listening on :9090":                              0,
		"listen tcp :99999: bind: address already in use": 0,
	} {
		if got := route.PortInUse(line); got != want {
			t.Errorf("%q: port %d, want %d", line, got, want)
		}
	}
}
