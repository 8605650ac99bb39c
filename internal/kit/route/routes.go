package route

import "strings"

// Routes say where the front door leads by host name and path.
type Routes struct {
	// Services are by "service.namespace", and by "port.service.namespace" for
	// ports beside the one that people come for.
	Services map[string]*Pool
	// Rules are those of Ingresses. Of two that say the same the first counts.
	Rules []Rule
	// Default gets what is no Service's, and no rule's; nil if there is none.
	Default *Pool
	// Front gets the requests to localhost, an address or an unknown host for
	// which there is neither a rule without a host nor a Default. It may be nil.
	Front *Pool
}

// Rule leads the paths of a host to a pool, as a rule of an Ingress does.
type Rule struct {
	// Host is a name, *.NAME for the names with one label more, or "" for all that
	// have no rules.
	Host string
	// Path begins the paths that are led, element by element. "" and "/" begin all.
	Path string
	// Exact tells that it is this path only.
	Exact bool
	Pool  *Pool
}

// LocalName returns the name below localhost by which a browser reaches the host
// of a rule without any set-up: the host itself if it is one, else its first label
// if nothing else has that name, else all of it. It returns "" for a wildcard, and
// for a host all of whose names are those of Services. The host "" is localhost.
func (r Routes) LocalName(host string) string { return newTable(r).localName(strings.ToLower(host)) }
