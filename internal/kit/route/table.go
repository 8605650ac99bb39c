package route

import (
	"net"
	"strings"
)

// table finds pools by host name.
type table struct {
	pools    map[string]*Pool // by "service.namespace", and by "service" where that is clear
	names    []string         // the full ones, sorted
	fallback *Pool
}

// addShort adds a service's name without the namespace. One that two namespaces
// have stands for neither, and must not lead to the fallback: its pool is nil.
func (t *table) addShort(name string, pool *Pool) {
	service, _, _ := strings.Cut(name, ".")
	if _, taken := t.pools[service]; taken {
		pool = nil
	}
	t.pools[service] = pool
}

// find returns the pool for the Host of a request, with or without a port: a
// name under .localhost, which systems resolve to the loopback address, or a name
// that the cluster's DNS knows. It returns nil if there is none.
func (t *table) find(host string) *Pool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	name, local := strings.CutSuffix(host, ".localhost")
	if !local {
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".cluster.local"), ".svc")
	}
	if pool, known := t.pools[name]; known || local {
		return pool
	}
	return t.fallback
}
