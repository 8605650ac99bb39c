package web

import (
	"context"
	"net"
	"net/http"
	"time"
)

// maxConnectionAge is after how long a connection that is used is given up, so
// that clients which keep theirs find new replicas, and an intercept, without
// being told. One that is not used is for its client to close: that loses no
// request.
const maxConnectionAge = 5 * time.Second

type bornKey struct{}

// ConnContext is an [http.Server]'s: it notes when a connection began.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, bornKey{}, time.Now())
}

// isOld tells whether the request came on a connection that is to be given up.
func isOld(r *http.Request) bool {
	born, known := r.Context().Value(bornKey{}).(time.Time)
	return known && time.Since(born) > maxConnectionAge
}
