package shop_test

import (
	"maps"
	"slices"
	"strings"
)

// badWire has what is hardly HTTP, or none.
func badWire(urls map[string]string) (all []bad) {
	const host = "\r\nHost: shop\r\n\r\n"
	for _, service := range slices.Sorted(maps.Keys(urls)) {
		for _, m := range []mistake{
			{"nothing", "", []int{closed}},
			{"an empty line", "\r\n\r\n", malformed},
			{"a word", "hello\r\n\r\n", malformed},
			{"a byte", "\x00", []int{closed, 400}},
			{"half a line", "GET /healthz HT", []int{closed, 400}},
			{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 200), []int{closed, 400}},
			{"SSH", "SSH-2.0-OpenSSH_9.2\r\n", []int{closed, 400}},
			{"SMTP", "EHLO example.com\r\n\r\n", malformed},
			{"noise", strings.Repeat("\xfe\x01\xc3\r\n", 50), malformed}, {"much noise", strings.Repeat("\xfe\x01\xc3\r\n", 500), []int{400, 431}},
			{"a line of 100 KiB", strings.Repeat("A", 100<<10), []int{closed, 400, 431}},
			{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", []int{400, 405, 505}},
			{"HTTP/0.9", "GET /healthz\r\n\r\n", malformed},
			{"HTTP/3.0", "GET /healthz HTTP/3.0" + host, []int{505}},
			{"HTTP/1.9", "GET /nowhere HTTP/1.9" + host, []int{404, 505, 400}},
			{"HTTP/x", "GET /healthz HTTP/x" + host, malformed},
			{"http/1.1", "GET /healthz http/1.1" + host, malformed},
			{"HTTP/1.0 without a host", "GET /nowhere HTTP/1.0\r\n\r\n", []int{404}}, {"HTTP/1.1 without a host", "GET /healthz HTTP/1.1\r\n\r\n", malformed},
			{"a URL of another host", "GET http://example.com/nowhere HTTP/1.1" + host, []int{404}},
			{"a URL with a name and a password", "GET http://a:b@shop/nowhere HTTP/1.1" + host, []int{404}},
			{"a file's URL", "GET file:///etc/passwd HTTP/1.1" + host, []int{404, 400}},
			{"a tunnel", "CONNECT example.com:443 HTTP/1.1" + host, []int{404, 405}},
			{"a tunnel without a port", "CONNECT example.com HTTP/1.1" + host, []int{404, 405, 400}},
			{"GET *", "GET * HTTP/1.1" + host, []int{400, 404}},
			{"OPTIONS *", "OPTIONS * HTTP/1.1" + host, []int{404, 405}},
			{"OPTIONS of another star", "OPTIONS /* HTTP/1.1" + host, []int{404, 405}},
			{"TRACE of everything", "TRACE * HTTP/1.1" + host, []int{400, 404, 405}},
			{"two spaces", "GET  /healthz HTTP/1.1" + host, malformed},
			{"a tab", "GET\t/healthz\tHTTP/1.1" + host, malformed},
			{"a fourth word", "GET /healthz HTTP/1.1 x" + host, malformed},
			{"spaces before it", " GET /healthz HTTP/1.1" + host, malformed},
			{"line breaks of one byte, and no host", "GET /healthz HTTP/1.1\n\n", malformed},
			{"a folded header as the first", "GET /healthz HTTP/1.1\r\n X: 1\r\nHost: shop\r\n\r\n", malformed},
			{"a space before the colon", "GET /healthz HTTP/1.1\r\nHost : shop\r\n\r\n", malformed},
			{"a length and chunks, and a path that is not there", "POST /nowhere HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400, 404}},
			{"chunks twice", "POST /nowhere HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400, 501}},
			{"chunks in HTTP/1.0", "POST /nowhere HTTP/1.0\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400, 404, 501}},
			{"an upgrade", "GET /nowhere HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk" + host, []int{404}},
			{"a web socket", "GET /healthz/socket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" + host, []int{404}},
			{"an empty host", "GET /nowhere HTTP/1.1\r\nHost:\r\n\r\n", []int{404, 400}},
			{"a port that is none", "GET /nowhere HTTP/1.1\r\nHost: shop:99999999\r\n\r\n", []int{404, 400}},
			{"a range of what is not there", "GET /nowhere HTTP/1.1\r\nRange: bytes=9-1,x" + host, []int{404}},
			{"a condition of what is not there", "GET /nowhere HTTP/1.1\r\nIf-Match: \"x\"\r\nIf-Modified-Since: never" + host, []int{404}},
			{"an odd date", "GET /nowhere HTTP/1.1\r\nIf-Unmodified-Since: 99999999999999999999" + host, []int{404}},
			{"an odd preference", "GET /nowhere HTTP/1.1\r\nAccept: x;q=9,,/" + host, []int{404}},
			{"a long id, baggage and trace", "GET /nowhere HTTP/1.1\r\nX-Request-Id: " + strings.Repeat("x", 2000) + "\r\nBaggage: " + strings.Repeat("y", 9000) + "\r\nTraceparent: zz" + host, []int{404}},
			{"an address that is none", "GET /nowhere HTTP/1.1\r\nX-Forwarded-For: " + strings.Repeat("256.1.1.1,", 500) + host, []int{404}},
			{"another method in a header", "GET /nowhere HTTP/1.1\r\nX-HTTP-Method-Override: DELETE" + host, []int{404}},
			{"another path in a header", "GET /nowhere HTTP/1.1\r\nX-Original-URL: /healthz\r\nX-Rewrite-URL: /healthz" + host, []int{404}},
			{"a body before its permission", "POST /nowhere HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2" + host + "{}", []int{404}},
		} {
			all = append(all, bad{service: service, name: m.name, request: m.value, want: m.want, ends: slices.Contains(m.want, closed)})
		}
	}
	return all
}
