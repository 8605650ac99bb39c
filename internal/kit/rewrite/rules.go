package rewrite

import (
	"net"
	"strconv"
	"strings"
)

// Target returns the loopback address of what a host name leads to; scheme is
// "" and port is 0 where a value does not say. It reports false for a port
// that is not there.
type Target func(scheme string, port int32) (string, bool)

// Rules say what addresses and paths of a cluster are on this machine.
type Rules struct {
	Find  func(host string) Target            // what a host leads to, nil if the host stays as it is
	Own   func(port int32) (here int, _ bool) // ports that the container listens on
	Paths Paths
}

// Variables rewrites an environment, and adds the ports of hosts that came
// without.
func (r Rules) Variables(all []Setting) []Setting { return r.rewrite(all, true) }

// Args rewrites arguments.
func (r Rules) Args(args []string) []string { return texts(r.rewrite(arguments(args), false)) }

func (r Rules) rewrite(all []Setting, extend bool) []Setting {
	done := map[string]bool{}
	for i := range all {
		all = r.rewriteHost(all, i, extend, done)
	}
	for i, s := range all {
		if done[s.Name] {
			continue
		}
		if port, isOwn := r.ownPort(s, all); isOwn {
			all[i].Value = strconv.Itoa(port)
			continue
		}
		all[i].Value = r.Paths.rewrite(rewriteAddresses(s.Name, s.Value, r.Find))
	}
	return all
}

// rewriteHost rewrites a host whose port is a setting of its own, and that
// port. Where there is none, it is added to variables, and to the host in
// arguments, because a program may not have such a flag.
func (r Rules) rewriteHost(all []Setting, i int, extend bool, done map[string]bool) []Setting {
	portName, isHost := portName(all[i].Name)
	if !isHost {
		return all
	}
	to := r.Find(all[i].Value)
	if to == nil {
		return all
	}
	done[all[i].Name], done[portName] = true, true
	j := index(all, portName)
	var stated int32
	if j >= 0 {
		stated, _ = ParsePort(all[j].Value)
	}
	address, found := to("", stated)
	if !found {
		return all
	}
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil || j < 0 && !extend:
		all[i].Value = address
	case j < 0:
		all[i].Value = host
		all = append(all, variable(portName, port))
	default:
		all[i].Value, all[j].Value = host, port
	}
	return all
}

// index finds the setting with a name, -1 if there is none.
func index(all []Setting, name string) int {
	for i, s := range all {
		if s.Name == name && name != "" {
			return i
		}
	}
	return -1
}

// ownPort returns what a number is here that names a port which the container
// listens on: the value of METRICS_PORT, but not of DB_PORT if there is a
// DB_HOST.
func (r Rules) ownPort(s Setting, all []Setting) (int, bool) {
	if !strings.HasSuffix(strings.ToUpper(s.Name), "PORT") || s.Value == "" {
		return 0, false
	}
	port, isNumber := ParsePort(s.Value)
	if !isNumber {
		return 0, false
	}
	for _, end := range portNames {
		if stem, found := strings.CutSuffix(s.Name, end.port); found {
			if i := index(all, stem+end.host); i >= 0 && !IsLocal(all[i].Value) {
				return 0, false
			}
		}
	}
	return r.Own(port)
}
