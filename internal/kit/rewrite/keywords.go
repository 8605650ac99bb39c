package rewrite

import "regexp"

// PostgreSQL's other form of address: host=postgres port=5432 user=shop.
var (
	keywordHost = regexp.MustCompile(`(?:^|\s)host=([\w.-]+)(?:\s|$)`)
	keywordPort = regexp.MustCompile(`(?:^|\s)port=(\d+)(?:\s|$)`)
	keywordElse = regexp.MustCompile(`(?:^|\s)(?:user|dbname|password|sslmode)=`)
)

// findKeywords finds host and port of a PostgreSQL keyword/value string.
func (f *finder) findKeywords(i int) {
	s := f.settings[i]
	m := keywordHost.FindStringSubmatchIndex(s.Value)
	if m == nil || !keywordElse.MatchString(s.Value) || !f.known(group(s.Value, m, 1)) {
		return
	}
	a := Address{Setting: s, Scheme: "postgres", Host: group(s.Value, m, 1), host: f.part(i, m[2], m[3]), form: keywords}
	if m := keywordPort.FindStringSubmatchIndex(s.Value); m != nil {
		a.Port, _ = ParsePort(group(s.Value, m, 1))
		a.number = f.part(i, m[2], m[3])
	}
	f.add(a)
}
