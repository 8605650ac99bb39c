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

// client puts the address of a request's client into the context. It believes the header
// X-Forwarded-For of a proxy in a trusted network only: other clients could claim any
// address.
func client(trusted []netip.Prefix) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			address := clientAddress(r, trusted)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, address)))
		})
	}
}

// clientAddress returns the last address on the way of the request that is not a trusted
// proxy's. The connection's own address is the end of that way.
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

// network returns the addresses that belong to one client: one IPv4 address, or an IPv6
// network of 64 bits.
func network(address netip.Addr) string {
	if address.Is6() {
		prefix, err := address.WithZone("").Prefix(56)
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
