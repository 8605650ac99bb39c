package program

import (
	"slices"
	"strings"
)

// SplitFlags splits the value of GOFLAGS as the go tool does: a flag may stand in quotes.
func SplitFlags(text string) []string {
	var flags []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		end := strings.IndexAny(text, " \t\r\n")
		if quote := text[0]; quote == '\'' || quote == '"' {
			text = text[1:]
			end = strings.IndexByte(text, quote)
		}
		if end < 0 {
			return append(flags, text)
		}
		flags = append(flags, text[:end])
		text = text[end+1:]
	}
	return flags
}

// AllFlags returns the flags of GOFLAGS, then those of the compilation.
func (r *Recipe) AllFlags() []string { return append(SplitFlags(r.Vars()["GOFLAGS"]), r.Flags...) }

// lastValue returns the value of a flag of the go tool that takes one; of several
// the last one counts.
func lastValue(flags []string, name string) (value string, found bool) {
	for i, flag := range flags {
		given, inline, isInline := strings.Cut(flag, "=")
		switch {
		case strings.TrimLeft(given, "-") != name || !strings.HasPrefix(given, "-"):
		case isInline:
			value, found = inline, true
		case i+1 < len(flags):
			value, found = flags[i+1], true
		}
	}
	return value, found
}

// ListArgs returns the arguments of `go list` for the compilation: its flags, but
// for -o, which `go list` does not have, and -C first, as the go tool asks for.
func (r *Recipe) ListArgs(args ...string) []string {
	flags := slices.Clone(r.Flags)
	command := []string{"list"}
	for i := 0; i < len(flags); i++ {
		name, value, inline := strings.Cut(flags[i], "=")
		if name = strings.TrimLeft(name, "-"); name != "C" && name != "o" {
			continue
		}
		end := i + 1
		if !inline && end < len(flags) {
			value, end = flags[end], end+1
		}
		if name == "C" {
			command = append(command, "-C", value)
		}
		flags = slices.Delete(flags, i, end)
		i--
	}
	return append(append(command, args...), flags...)
}
