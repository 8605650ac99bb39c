package rewrite

import (
	"regexp"
	"strconv"
	"strings"
)

// hostPort matches what may be a host with a port; the host is empty in the
// address :8080.
var hostPort = regexp.MustCompile(`(\[[0-9A-Fa-f:.]+\]|[\w.-]+|\*)?(?::(\d+))?`)

// authority matches the text before a host that stands in a URL: the scheme,
// and what precedes the host behind it, be it a user or other hosts.
var authority = regexp.MustCompile("([A-Za-z][A-Za-z0-9+.-]*)://(?:[^\\s/?#\"'`<>]*[@,])?$")

// What may follow a host, with and without a port; what may precede it.
const (
	space     = " \t\r\n"
	closing   = space + ",;/?#\"'`)]}>|&\\"
	opening   = space + ",;=\"'`([{<|&"
	separator = space + ",;"
)

// findTogether finds the hosts in a setting, each with its port. The same word
// is left where it is no host.
func (f *finder) findTogether(i int) {
	s := f.settings[i]
	for _, m := range hostPort.FindAllStringSubmatchIndex(s.Value, -1) {
		t := token{name: s.Name, host: group(s.Value, m, 1), before: s.Value[:m[0]], after: s.Value[m[1]:]}
		port, isPort := ParsePort(group(s.Value, m, 2))
		t.port = port
		where := f.part(i, m[0], m[1])
		if m[0] == m[1] || !isPort || !f.known(t.host) || f.isTaken(where) {
			continue
		}
		if scheme, isHost := t.position(); isHost {
			f.add(Address{Setting: s, Scheme: scheme, Host: t.host, Port: t.port, host: where, form: together})
		}
	}
}

func group(value string, match []int, n int) string {
	if match[2*n] < 0 {
		return ""
	}
	return value[match[2*n]:match[2*n+1]]
}

// ParsePort reads a port. It is 0 if there are no digits; it reports false if
// they are not the number of a port.
func ParsePort(digits string) (int32, bool) {
	if digits == "" {
		return 0, true
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	return int32(port), err == nil && port > 0
}

// token is a word of a value that may be a host, and what stands around it.
type token struct {
	name          string // of the variable or flag
	host          string
	port          int32 // 0 if there is none
	before, after string
}

// position tells from what is around the word whether it is a host, and of
// which URL scheme.
func (t token) position() (scheme string, isHost bool) {
	if url := authority.FindStringSubmatch(t.before); url != nil {
		return url[1], !isFileScheme[url[1]] && startsWith(t.after, closing)
	}
	switch {
	case hasResolverPrefix(t.before):
		return "", startsWith(t.after, closing)
	case t.host == "" && isBehindQuoted(t.before):
		return "", false
	case t.port != 0:
		return "", endsWith(t.before, opening+"@") && startsWith(t.after, closing)
	case strings.HasSuffix(t.before, "@tcp("): // a DSN of go-sql-driver/mysql
		return "mysql", strings.HasPrefix(t.after, ")")
	case strings.Contains(t.host, "."):
		return "", !namesIdentity(t.name) && endsWith(t.before, separator+"=") && startsWith(t.after, separator)
	}
	return "", namesAddress(t.name) && endsWith(t.before, ",") && startsWith(t.after, ",")
}

// isBehindQuoted reports whether before ends with a quoted text, such as a key
// of JSON.
func isBehindQuoted(before string) bool {
	for _, quote := range []string{`"`, `'`} {
		if strings.HasSuffix(before, quote) {
			return strings.Count(before, quote)%2 == 0
		}
	}
	return false
}

// isFileScheme tells schemes behind which there is a path.
var isFileScheme = map[string]bool{"file": true, "unix": true, "sqlite": true, "sqlite3": true}

// hasResolverPrefix tells the targets of gRPC that name how to resolve them.
func hasResolverPrefix(before string) bool {
	for _, prefix := range []string{"dns:///", "passthrough:///", "dns:"} {
		if rest, found := strings.CutSuffix(before, prefix); found && endsWith(rest, opening) {
			return true
		}
	}
	return false
}

// endsWith reports whether text is empty or ends with one of chars.
func endsWith(text, chars string) bool {
	return text == "" || strings.IndexByte(chars, text[len(text)-1]) >= 0
}

// startsWith reports whether text is empty or starts with one of chars.
func startsWith(text, chars string) bool {
	return text == "" || strings.IndexByte(chars, text[0]) >= 0
}
