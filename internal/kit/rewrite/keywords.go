package rewrite

import (
	"net"
	"regexp"
)

// PostgreSQL's other form of address: host=postgres port=5432 user=shop.
var (
	keywordHost = regexp.MustCompile(`(^|\s)host=([\w.-]+)(\s|$)`)
	keywordPort = regexp.MustCompile(`(^|\s)port=(\d+)(\s|$)`)
	keywordElse = regexp.MustCompile(`(^|\s)(user|dbname|password|sslmode)=`)
)

// rewriteKeywords replaces host and port of a PostgreSQL keyword/value string.
func rewriteKeywords(value string, find func(host string) Target) string {
	m := keywordHost.FindStringSubmatch(value)
	if m == nil || !keywordElse.MatchString(value) {
		return value
	}
	to := find(m[2])
	if to == nil {
		return value
	}
	var port int32
	stated := keywordPort.FindStringSubmatch(value)
	if stated != nil {
		port, _ = ParsePort(stated[2])
	}
	address, ok := to("postgres", port)
	if !ok {
		return value
	}
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return value
	}
	if stated == nil {
		return keywordHost.ReplaceAllString(value, "${1}host="+host+" port="+number+"${3}")
	}
	value = keywordHost.ReplaceAllString(value, "${1}host="+host+"${3}")
	return keywordPort.ReplaceAllString(value, "${1}port="+number+"${3}")
}
