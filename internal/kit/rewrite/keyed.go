package rewrite

import (
	"regexp"
	"strings"
)

// keyed matches a key and a number within a text, be it JSON, YAML, a list of
// key=value or a command line; keyedHost matches a key and a host.
var (
	keyed     = regexp.MustCompile(`(["']?)([A-Za-z][\w.-]*)["']?([ \t]*[:=][ \t]*|[ \t]+)["']?(\d+)`)
	keyedHost = regexp.MustCompile(`([A-Za-z][\w.-]*)["']?[ \t]*[:=][ \t]*["']?([\w.-]*)`)
)

// beforeKey is what may precede a key; a query of a URL is of another program.
const beforeKey = space + ",;\"'`([{<|-"

// findKeyed finds ports of the program that are parts of a setting, as in
// {"metrics": {"port": 9090}} and --http-port=80 --admin-port 81.
func (f *finder) findKeyed(i int) {
	s := f.settings[i]
	for _, m := range keyed.FindAllStringSubmatchIndex(s.Value, -1) {
		key := s.Value[m[4]:m[5]]
		port, ok := ParsePort(group(s.Value, m, 4))
		number := f.part(i, m[8], m[9])
		if !ok || !isKeyed(s.Value, m) || !namesPort(key) && (key != "p" || !isFlagAt(s.Value, m[4])) {
			continue
		}
		if !f.isTaken(number) && !isNextToHost(s.Value, key, m[4]) {
			f.add(Address{Setting: s, Port: port, number: number, form: alone})
		}
	}
}

// isKeyed tells a key and its number from host:port and from other words.
func isKeyed(value string, m []int) bool {
	if !endsWith(value[:m[0]], beforeKey) || !startsWith(value[m[1]:], closing) {
		return false
	}
	isQuoted := m[2] < m[3]
	switch between := value[m[6]:m[7]]; {
	case strings.Contains(between, "="):
		return true
	case strings.Contains(between, ":"):
		return isQuoted || between != ":"
	}
	return isFlagAt(value, m[4])
}

func isFlagAt(value string, at int) bool { return strings.HasSuffix(value[:at], "-") }

// isNextToHost reports whether a host elsewhere stands beside the key for a port
// that belongs to it, as in {"host": "db", "port": 5432}.
func isNextToHost(value, port string, at int) bool {
	for _, m := range keyedHost.FindAllStringSubmatchIndex(value, -1) {
		if isHostOf(group(value, m, 1), port) && isElsewhere(group(value, m, 2)) && sameBlock(value, m[2], at) {
			return true
		}
	}
	return false
}

// sameBlock reports whether two keys of a text are in the same braces, and in
// the same block of lines: equally indented, with no line between that is less.
func sameBlock(value string, a, b int) bool {
	a, b = min(a, b), max(a, b)
	if strings.ContainsAny(value[a:b], "{}") {
		return false
	}
	start := strings.LastIndexByte(value[:a], '\n') + 1
	last := 0
	for line := range strings.Lines(value[start:b] + "x") {
		last = indent(line)
		if last < indent(value[start:]) {
			return false
		}
	}
	return last == indent(value[start:])
}

func indent(text string) int { return len(text) - len(strings.TrimLeft(text, " -")) }
