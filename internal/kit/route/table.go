package route

import (
	"maps"
	"net"
	"slices"
	"strings"
)

// table finds pools by host name and path.
type table struct {
	routes Routes
	pools  map[string]*Pool // Services by their full names, and by "service" where that is clear
	names  []string         // the full ones, sorted
	hosts  map[string]paths // rules by host, "" included
	short  map[string]string
}

// localSuffix ends the names that systems resolve to the loopback address.
const localSuffix = ".localhost"

func newTable(r Routes) *table {
	t := &table{routes: r, pools: maps.Clone(r.Services), names: slices.Sorted(maps.Keys(r.Services)), hosts: map[string]paths{}}
	if t.pools == nil {
		t.pools = map[string]*Pool{}
	}
	for _, name := range t.names {
		t.addShort(name, r.Services[name])
	}
	for _, rule := range r.Rules {
		host := strings.ToLower(rule.Host)
		t.hosts[host] = append(t.hosts[host], rule)
	}
	t.shorten()
	return t
}

// addShort adds a service's name without the namespace. One that two namespaces
// have stands for neither, and must not lead elsewhere: its pool is nil. Names of
// ports have no short form.
func (t *table) addShort(name string, pool *Pool) {
	if strings.Count(name, ".") != 1 {
		return
	}
	service, _, _ := strings.Cut(name, ".")
	if _, taken := t.pools[service]; taken {
		pool = nil
	}
	t.pools[service] = pool
}

// shorten finds the hosts whose first label stands for them alone.
func (t *table) shorten() {
	bearers := map[string][]string{}
	for host := range t.hosts {
		label, _, _ := strings.Cut(host, ".")
		if _, isService := t.pools[label]; label != "" && label != "*" && host != "localhost" && !isService {
			bearers[label] = append(bearers[label], host)
		}
	}
	t.short = map[string]string{}
	for label, hosts := range bearers {
		if len(hosts) == 1 {
			t.short[label] = hosts[0]
		}
	}
}

// localName returns what [Routes.LocalName] does.
func (t *table) localName(host string) string {
	switch {
	case host == "" || host == "localhost":
		return "localhost"
	case strings.HasPrefix(host, "*"):
		return ""
	}
	name := strings.TrimSuffix(host, localSuffix)
	label, _, _ := strings.Cut(name, ".")
	if t.short[label] == host {
		name = label
	}
	if _, isService := t.pools[name]; isService {
		return ""
	}
	return name + localSuffix
}

// find returns the pool for the Host of a request, with or without a port, and
// its path. Below localhost, names are those of Services before they are those of
// rules; elsewhere, a rule's host counts before the names that the cluster's DNS
// knows. It returns nil if there is none.
func (t *table) find(host, path string) *Pool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if name, local := strings.CutSuffix(host, localSuffix); local {
		return t.findLocal(name, host, path)
	}
	if rules := t.hosts[host]; rules != nil {
		return t.choose(rules, path)
	}
	name := strings.TrimSuffix(strings.TrimSuffix(host, ".cluster.local"), ".svc")
	if pool, known := t.pools[name]; known && strings.Count(name, ".") < 2 {
		return pool
	}
	if rules := t.hosts[wildcard(host)]; rules != nil {
		return t.choose(rules, path)
	}
	if pool := t.choose(t.hosts[""], path); pool != nil {
		return pool
	}
	return t.routes.Front
}

func (t *table) findLocal(name, host, path string) *Pool {
	if pool, known := t.pools[name]; known {
		return pool
	}
	for _, host := range []string{host, name, t.short[name], wildcard(host), wildcard(name)} {
		if rules := t.hosts[host]; rules != nil && host != "" {
			return t.choose(rules, path)
		}
	}
	return nil
}

// wildcard returns the host of the rule that is about all names like this one.
func wildcard(host string) string {
	_, rest, _ := strings.Cut(host, ".")
	return "*." + rest
}

func (t *table) choose(rules paths, path string) *Pool {
	if pool := rules.find(path); pool != nil {
		return pool
	}
	return t.routes.Default
}

// local returns the names below localhost that lead somewhere, those of Services
// first. A port that has the name of its Service is not listed once more.
func (t *table) local() []string {
	var names []string
	for _, name := range t.names {
		_, service, _ := strings.Cut(name, ".")
		if t.pools[service] != t.pools[name] {
			names = append(names, name+localSuffix)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(t.hosts)) {
		if name := t.localName(host); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
