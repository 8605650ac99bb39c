//go:build unix

package intercept

import (
	"io"
	"net"
	"strings"
	"testing"
)

func TestRunWithoutTelepresence(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Run(t.Context(), Options{Service: "payments-svc", Port: 8080, Out: io.Discard})
	if err == nil || !strings.HasPrefix(err.Error(), "telepresence is not on PATH: install it") {
		t.Errorf("error %v", err)
	}
}

func TestListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if !listens(port) {
		t.Error("a port with a listener is taken for free")
	}
	listener.Close()
	if listens(port) {
		t.Error("a port without a listener is taken for used")
	}
}
