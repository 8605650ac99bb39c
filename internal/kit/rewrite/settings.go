package rewrite

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Setting is a value that a program is given, as variable or in an argument.
type Setting struct {
	Name   string // of the variable or flag, "" for other arguments
	Value  string
	prefix string // what stands before the value: "NAME=" or "--flag="
	flag   string // the flag as it is written, "" for others
}

func (s Setting) String() string { return s.prefix + s.Value }

// Label names the setting for people, without its value, which may be secret.
func (s Setting) Label() string {
	switch {
	case s.flag != "":
		return "argument " + s.flag
	case s.Name != "":
		return "variable " + s.Name
	}
	return "an argument"
}

// Variables returns the settings of an environment, sorted by name.
func Variables(values map[string]string) []Setting {
	var settings []Setting
	for _, name := range slices.Sorted(maps.Keys(values)) {
		settings = append(settings, variable(name, values[name]))
	}
	return settings
}

func variable(name, value string) Setting {
	return Setting{Name: name, Value: value, prefix: name + "="}
}

// gluedPort matches -p8080.
var gluedPort = regexp.MustCompile(`^-[pP](\d+)$`)

// Arguments finds the values in arguments: --flag=value, --flag value, value.
func Arguments(args []string) []Setting {
	settings := make([]Setting, len(args))
	pending := ""
	for i, arg := range args {
		flag, value, assigned := strings.Cut(arg, "=")
		switch isFlag := strings.HasPrefix(arg, "-"); {
		case gluedPort.MatchString(arg):
			settings[i] = Setting{Name: "p", Value: arg[2:], prefix: arg[:2], flag: arg[:2]}
			pending = ""
		case isFlag && assigned:
			settings[i] = Setting{Name: strings.TrimLeft(flag, "-"), Value: value, prefix: flag + "=", flag: flag}
			pending = ""
		case arg == "--":
			settings[i] = Setting{prefix: arg}
			pending = ""
		case isFlag:
			settings[i] = Setting{prefix: arg}
			pending = arg
		default:
			settings[i] = Setting{Name: strings.TrimLeft(pending, "-"), Value: arg, flag: pending}
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
