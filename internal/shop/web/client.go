package web

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

type clientKey struct{}

// ClientOf returns the address of the client that a request comes from.
func ClientOf(ctx context.Context) string {
	address, _ := ctx.Value(clientKey{}).(string)
	return address
}

// client notes the address of a request's client. A proxy in a trusted network says by
// X-Forwarded-For for whom it asks; anybody else could say anything.
func client(trusted []netip.Prefix) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			address := clientAddress(r, trusted)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, address)))
		})
	}
}

// clientAddress goes back from the connection to the first that is not a trusted proxy.
func clientAddress(r *http.Request, trusted []netip.Prefix) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := from.Addr().Unmap()
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0 && contains(trusted, address); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(forwarded[i]))
		if err != nil {
			break
		}
		address = before.Unmap()
	}
	return network(address)
}

// network returns what one client has: of IPv6, it has a whole network.
func network(address netip.Addr) string {
	if address.Is6() {
		prefix, err := address.WithZone("").Prefix(64)
		if err == nil {
			return prefix.String()
		}
	}
	return address.String()
}

func contains(networks []netip.Prefix, address netip.Addr) bool {
	for _, each := range networks {
		if each.Contains(address) {
			return true
		}
	}
	return false
}
