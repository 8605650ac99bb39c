package shop_test

import (
	"fmt"
	"strings"
)

// badHeaders has headers that are wrong: a few for each operation, and for each
// that needs a token, all that are none.
func badHeaders(operations []operation, token string) (all []bad) {
	for _, op := range operations {
		for _, h := range oddHeaders {
			all = append(all, bad{service: op.service, name: op.method + " " + op.path + ": " + h.name, request: message(op.method, op.target(nil), "", strings.Split(h.value, "\r\n")...), want: h.want})
		}
		if op.private {
			for _, value := range forged(token) {
				all = append(all, bad{service: op.service, name: fmt.Sprintf("%s %s: Authorization %.40q", op.method, op.path, value),
					request: message(op.method, op.target(nil), op.bodyIfAny(), strings.Split(value, "\r\n")...), want: []int{401}})
			}
		}
	}
	return all
}

// oddHeaders are refused whatever is asked for.
var oddHeaders = []mistake{
	{"a name with a space", "X y: 1", malformed},
	{"a name that is empty", ": 1", malformed},
	{"a line without a colon", "hello", malformed},
	{"a control character", "X: a\x01b", malformed},
	{"NUL", "X: \x00", malformed},
	{"a header of 12 KiB", "X: " + strings.Repeat("x", 12<<10), []int{431}}, {"a header of 60 KiB", "X: " + strings.Repeat("x", 60<<10), []int{431}},
	{"120 headers", "X: 1" + strings.Repeat("\r\nX: 1", 119), []int{431}}, {"10,000 headers", "X: 1" + strings.Repeat("\r\nX: 1", 10_000), []int{431}},
	{"a length that is no number", "Content-Length: x", malformed},
	{"a negative length", "Content-Length: -1", malformed},
	{"two lengths", "Content-Length: 1\r\nContent-Length: 2", malformed},
	{"a length with a plus", "Content-Length: +1", malformed},
	{"a length that is too long a number", "Content-Length: 99999999999999999999", malformed},
	{"an announced body of 1 GiB", "Content-Length: 1073741824", []int{413, 401}},
	{"an unknown expectation", "Expect: a-miracle", []int{417}},
	{"an unknown encoding", "Transfer-Encoding: gzip", []int{501}},
	{"two encodings", "Transfer-Encoding: gzip, chunked", []int{501}},
	{"two hosts", "Host: a\r\nHost: b", malformed},
	{"a host with a slash", "Host: a/b", malformed},
	{"a host of control characters", "Host: \x7f", malformed},
}

// forged returns header lines that carry no valid token, made of a valid one.
func forged(token string) []string {
	parts := strings.Split(token, ".")
	header, claims, signature := parts[0], parts[1], parts[2]
	const none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0" // {"alg":"none","typ":"JWT"}
	lines := []string{"X-No-Authorization: 1", "Authorization: Bearer " + token + "\r\nAuthorization: Bearer " + token, "Proxy-Authorization: Bearer " + token, "Cookie: access_token=" + token}
	for _, value := range []string{
		"", "Bearer", "Bearer ", "Basic YW5uOnNlY3JldA==", "Bearer null", "Bearer undefined", "Bearer x", "Bearer a.b.c", "Bearer ..", token, "Token " + token, "Bearer" + token, "Bearer:" + token, "Bearer \"" + token + "\"",
		"Bearer " + token + "x", "Bearer " + token + "=", "Bearer " + token + ".x", "Bearer " + token + "," + token, "Bearer " + token[1:], "Bearer " + strings.ToLower(token), "Bearer " + header + "." + claims, "Bearer " + header + "." + claims + ".",
		"Bearer " + none + "." + claims + ".", "Bearer " + none + "." + claims + "." + signature, "Bearer " + claims + "." + header + "." + signature, "Bearer " + header + "." + header + "." + signature, "Bearer " + header + "..", "Bearer " + strings.Repeat("x", 10_000),
		"Bearer " + strings.Repeat("a.", 5000), "Bearer \xff", "Digest username=\"ann\"", "Bearer Bearer " + token,
	} {
		lines = append(lines, "Authorization: "+value)
	}
	return lines
}
