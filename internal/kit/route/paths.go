package route

import "strings"

// paths are the rules of one host.
type paths []Rule

// find returns the pool for a path: that of an exact rule, else of the one with
// the longest path. It returns nil if there is none.
func (p paths) find(path string) *Pool {
	var best *Rule
	for i, rule := range p {
		switch {
		case rule.Exact && rule.Path == path:
			return rule.Pool
		case rule.Exact || !begins(rule.Path, path):
		case best == nil || len(trim(rule.Path)) > len(trim(best.Path)):
			best = &p[i]
		}
	}
	if best == nil {
		return nil
	}
	return best.Pool
}

// begins reports whether a path begins with all elements of a prefix: /foo and
// /foo/ begin /foo, /foo/ and /foo/bar, and not /foobar.
func begins(prefix, path string) bool {
	rest, found := strings.CutPrefix(path, trim(prefix))
	return found && (rest == "" || rest[0] == '/')
}

// trim returns a prefix without what adds nothing to it: a slash at its end, and
// the asterisk by which some controllers have all that follows.
func trim(prefix string) string {
	return strings.TrimSuffix(strings.TrimSuffix(prefix, "*"), "/")
}
