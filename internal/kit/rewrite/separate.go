package rewrite

import (
	"regexp"
	"slices"
	"strings"
)

// findApart finds a host whose port is a setting of its own. Where there is no
// such setting, the port is that of the host.
func (f *finder) findApart(i int) {
	host := f.settings[i]
	name, isHost := portName(host.Name)
	if !isHost || !f.known(host.Value) {
		return
	}
	a := Address{Setting: host, Host: host.Value, host: f.whole(i), form: apart}
	if j := slices.IndexFunc(f.settings, func(s Setting) bool { return s.Name == name }); j >= 0 {
		a.Port, _ = ParsePort(f.settings[j].Value)
		a.number = f.whole(j)
	}
	others := f.otherPorts(host, name)
	for _, other := range others {
		f.add(other)
		a.orPorts = append(a.orPorts, other.Port)
	}
	f.add(a)
}

// otherPorts finds the ports of a host elsewhere that are not called name:
// DB_PORT_RW of DB_HOST.
func (f *finder) otherPorts(host Setting, name string) []Address {
	if IsLocal(host.Value) {
		return nil
	}
	var others []Address
	for j, s := range f.settings {
		port, isNumber := ParsePort(s.Value)
		if s.Name != name && isNumber && port > 0 && isHostOf(host.Name, s.Name) {
			others = append(others, Address{Setting: s, Host: host.Value, Port: port, number: f.whole(j), form: apart})
		}
	}
	return others
}

// numbers matches a number, or several of them.
var numbers = regexp.MustCompile(`^\d+(?:\s*[,;]\s*\d+)*$`)

var digits = regexp.MustCompile(`\d+`)

// findAlone finds a setting that is a port of the program, or several: the value
// of METRICS_PORT, but not of DB_PORT if there is a DB_HOST elsewhere.
func (f *finder) findAlone(i int) {
	s := f.settings[i]
	if !numbers.MatchString(s.Value) || !s.mayBePort() || f.isTaken(f.whole(i)) || f.isOfHostElsewhere(s) {
		return
	}
	for _, m := range digits.FindAllStringIndex(s.Value, -1) {
		if port, ok := ParsePort(s.Value[m[0]:m[1]]); ok {
			f.add(Address{Setting: s, Port: port, number: f.part(i, m[0], m[1]), form: alone})
		}
	}
}

// mayBePort reports whether a number is a port, going by what it is given as.
func (s Setting) mayBePort() bool {
	isBare := s.prefix+s.Name+s.flag == "" // as in: serve 8080
	return isBare || namesPort(s.Name) || namesListener(s.Name) || strings.EqualFold(s.flag, "-p")
}

func (f *finder) isOfHostElsewhere(port Setting) bool {
	return slices.ContainsFunc(f.settings, func(host Setting) bool {
		return isHostOf(host.Name, port.Name) && isElsewhere(host.Value)
	})
}

// isElsewhere reports whether a host without a port is another machine.
func isElsewhere(host string) bool { return !IsLocal(host) && !strings.Contains(host, ":") }
