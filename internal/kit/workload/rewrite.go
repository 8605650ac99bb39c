package workload

import (
	"net"
	"strconv"
	"strings"
)

// rewriter puts what a value means here in the place of what it means in a
// cluster.
type rewriter struct {
	find  func(host string) target            // Services, and the pod itself
	own   func(port int32) (here int, _ bool) // ports that the container listens on
	paths paths
}

// variables rewrites an environment, and adds the ports of hosts that came
// without.
func (r rewriter) variables(all []setting) []setting { return r.rewrite(all, true) }

// args rewrites arguments.
func (r rewriter) args(args []string) []string { return texts(r.rewrite(argSettings(args), false)) }

func (r rewriter) rewrite(all []setting, extend bool) []setting {
	done := map[string]bool{}
	for i := range all {
		all = r.rewriteHost(all, i, extend, done)
	}
	for i, s := range all {
		if done[s.name] {
			continue
		}
		if port, isOwn := r.ownPort(s, all); isOwn {
			all[i].value = strconv.Itoa(port)
			continue
		}
		all[i].value = r.paths.rewrite(rewriteAddresses(s.name, s.value, r.find))
	}
	return all
}

// rewriteHost rewrites a host whose port is a setting of its own, and that
// port. Where there is none, it is added to variables, and to the host in
// arguments, because a program may not have such a flag.
func (r rewriter) rewriteHost(all []setting, i int, extend bool, done map[string]bool) []setting {
	portName, isHost := portName(all[i].name)
	if !isHost {
		return all
	}
	to := r.find(all[i].value)
	if to == nil {
		return all
	}
	done[all[i].name], done[portName] = true, true
	j := index(all, portName)
	var stated int32
	if j >= 0 {
		stated, _ = parsePort(all[j].value)
	}
	address, found := to("", stated)
	if !found {
		return all
	}
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil || j < 0 && !extend:
		all[i].value = address
	case j < 0:
		all[i].value = host
		all = append(all, variable(portName, port))
	default:
		all[i].value, all[j].value = host, port
	}
	return all
}

// index finds the setting with a name, -1 if there is none.
func index(all []setting, name string) int {
	for i, s := range all {
		if s.name == name && name != "" {
			return i
		}
	}
	return -1
}

// ownPort returns what a number is here that names a port which the container
// listens on: the value of METRICS_PORT, but not of DB_PORT if there is a
// DB_HOST.
func (r rewriter) ownPort(s setting, all []setting) (int, bool) {
	if !strings.HasSuffix(strings.ToUpper(s.name), "PORT") || s.value == "" {
		return 0, false
	}
	port, isNumber := parsePort(s.value)
	if !isNumber {
		return 0, false
	}
	for _, end := range portNames {
		if stem, found := strings.CutSuffix(s.name, end.port); found {
			if i := index(all, stem+end.host); i >= 0 && !isLocal(all[i].value) {
				return 0, false
			}
		}
	}
	return r.own(port)
}
