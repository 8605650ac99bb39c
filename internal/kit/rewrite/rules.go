package rewrite

import (
	"cmp"
	"net"
	"slices"
	"strconv"
)

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
func (r Rules) Args(args []string) []string { return texts(r.rewrite(Arguments(args), false)) }

func (r Rules) rewrite(all []Setting, extend bool) []Setting {
	var edits []edit
	var added []Setting
	for _, a := range Find(all, func(host string) bool { return r.Find(host) != nil }) {
		host, port, found := r.lead(a)
		if !found {
			continue
		}
		if a.form == apart && !a.number.exists && extend {
			name, _ := portName(a.Setting.Name)
			added = append(added, variable(name, port))
		}
		edits = append(edits, a.edits(host, port, extend)...)
	}
	all = apply(edits, all)
	for i := range all {
		all[i].Value = r.Paths.rewrite(all[i].Value)
	}
	return append(all, added...)
}

// lead returns where an address is on this machine.
func (r Rules) lead(a Address) (host, port string, found bool) {
	if a.form == alone {
		here, found := r.Own(a.Port)
		return "", strconv.Itoa(here), found
	}
	to := r.Find(a.Host)
	for _, port := range append([]int32{a.Port}, a.orPorts...) {
		if address, found := to(a.Scheme, port); found {
			host, port, err := net.SplitHostPort(address)
			return host, port, err == nil
		}
	}
	return "", "", false
}

// edit puts a text in the place of a span.
type edit struct {
	span
	text string
}

// edits puts host and port in the places of an address. A host whose port has
// none gets it in arguments, because a program may not have a flag for it.
func (a Address) edits(host, port string, extend bool) []edit {
	switch {
	case a.form == together, a.form == apart && !a.number.exists && !extend:
		return []edit{{a.host, net.JoinHostPort(host, port)}}
	case a.form == keywords && !a.number.exists:
		return []edit{{a.host, host + " port=" + port}}
	}
	var edits []edit
	if a.host.exists {
		edits = append(edits, edit{a.host, host})
	}
	if a.number.exists {
		edits = append(edits, edit{a.number, port})
	}
	return edits
}

// apply returns settings with the edits, the last of a value first. Of several
// for one place, such as the port of two hosts, one counts.
func apply(edits []edit, settings []Setting) []Setting {
	settings = slices.Clone(settings)
	slices.SortStableFunc(edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.setting, b.setting), cmp.Compare(b.start, a.start))
	})
	for i, e := range edits {
		if i > 0 && edits[i-1].setting == e.setting && (edits[i-1].start == e.start || edits[i-1].start < e.end) {
			continue
		}
		value := settings[e.setting].Value
		settings[e.setting].Value = value[:e.start] + e.text + value[e.end:]
	}
	return settings
}
