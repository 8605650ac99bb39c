package kittest

import (
	"testing"

	"github.com/koshop/koshop/internal/kit/route"
)

// FreePort returns a port of 127.0.0.1 on which nothing listens.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := route.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
