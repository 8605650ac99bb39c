package rewrite

import (
	"maps"
	"slices"
	"strings"
)

// Setting is a value that a program is given, as variable or in an argument.
type Setting struct {
	Name   string // of the variable or flag, "" for other arguments
	Value  string
	prefix string // what stands before the value: "NAME=" or "--flag="
}

func (s Setting) String() string { return s.prefix + s.Value }

// Variables returns the settings of an environment, sorted by name.
func Variables(values map[string]string) []Setting {
	var settings []Setting
	for _, name := range slices.Sorted(maps.Keys(values)) {
		settings = append(settings, variable(name, values[name]))
	}
	return settings
}

func variable(name, value string) Setting { return Setting{name, value, name + "="} }

// arguments finds the values in arguments: --flag=value, --flag value, value.
func arguments(args []string) []Setting {
	settings := make([]Setting, len(args))
	pending := ""
	for i, arg := range args {
		flag, value, assigned := strings.Cut(arg, "=")
		switch isFlag := strings.HasPrefix(arg, "-"); {
		case isFlag && assigned:
			settings[i] = Setting{strings.TrimLeft(flag, "-"), value, flag + "="}
			pending = ""
		case isFlag:
			settings[i] = Setting{prefix: arg}
			pending = strings.TrimLeft(arg, "-")
		default:
			settings[i] = Setting{Name: pending, Value: arg}
			pending = ""
		}
	}
	return settings
}

func texts(settings []Setting) []string {
	list := make([]string, len(settings))
	for i, s := range settings {
		list[i] = s.String()
	}
	return list
}

// portNames are the ends of names of hosts, and what is in their place in the
// name of the port that belongs to them.
var portNames = []struct{ host, port string }{
	{"HOSTNAME", "PORT"}, {"HOST", "PORT"}, {"hostname", "port"}, {"host", "port"}, {"Host", "Port"},
}

// portName returns DB_PORT for DB_HOST, and false for what does not name a
// host; the virtual hosts of message brokers are none.
func portName(name string) (string, bool) {
	if name == "HOST" || name == "HOSTNAME" || strings.HasSuffix(strings.ToUpper(name), "VHOST") {
		return "", false // the first two are the program's own
	}
	for _, end := range portNames {
		if stem, found := strings.CutSuffix(name, end.host); found {
			return stem + end.port, true
		}
	}
	return "", false
}

// namesAddress reports whether a variable or flag holds an address, going by
// its name.
func namesAddress(name string) bool {
	name = strings.ToUpper(name)
	if namesIdentity(name) || strings.HasSuffix(name, "VHOST") || name == "HOST" || name == "HOSTNAME" {
		return false
	}
	for _, word := range []string{"HOST", "ADDR", "URL", "URI", "ENDPOINT", "SERVER", "TARGET", "UPSTREAM"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// namesIdentity reports whether a variable or flag says what something is
// called, such as OTEL_SERVICE_NAME.
func namesIdentity(name string) bool {
	name = strings.ReplaceAll(strings.ToUpper(name), "-", "_")
	return strings.HasSuffix(name, "NAME") && !strings.HasSuffix(name, "HOSTNAME") || strings.HasSuffix(name, "_ID")
}
