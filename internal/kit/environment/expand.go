package environment

import "strings"

// Expand replaces $(NAME) by the variable's value as a kubelet does: $$ stands
// for $, so that $$(NAME) is not a reference, and a name that is not known
// stays as it is written.
func Expand(text string, known func(name string) (string, bool)) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		switch name, after, closed := strings.Cut(rest, ")"); {
		case strings.HasPrefix(rest, "$"):
			out.WriteString("$")
			text = rest[1:]
		case closed && strings.HasPrefix(name, "("):
			if value, ok := known(name[1:]); ok {
				out.WriteString(value)
			} else {
				out.WriteString("$" + name + ")")
			}
			text = after
		default:
			out.WriteString("$")
			text = rest
		}
	}
}

// ExpandAll expands each of the texts.
func ExpandAll(texts []string, known func(name string) (string, bool)) []string {
	expanded := make([]string, len(texts))
	for i, text := range texts {
		expanded[i] = Expand(text, known)
	}
	return expanded
}
