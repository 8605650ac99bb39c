package shop_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"unicode/utf16"
)

// badBodies has each operation with a body get one that is wrong as a whole.
func badBodies(operations []operation, token string) (all []bad) {
	for _, op := range operations {
		if op.members == nil {
			continue
		}
		valid := op.body(nil)
		add := func(name, body string, want []int, headers ...string) {
			all = append(all, op.send(name, token, body, want, headers...))
		}
		for _, m := range wholeBodies(valid) {
			add(m.name, m.value, m.want)
		}
		add("none", "", malformed, "Content-Length: 0")
		add("compressed, and said so", compress(valid), malformed, "Content-Encoding: gzip")
		for _, mediaType := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream", "application", "/", "application/jsonx", "application/cbor", "text/json"} {
			add("as "+mediaType, valid, []int{415}, "Content-Type: "+mediaType)
		}
		for _, mediaType := range []string{"APPLICATION/JSON", "application/json; charset=utf-16", "Application/Json;charset=\"x", "application/problem+json", ""} {
			add("cut off, as "+mediaType, valid[:len(valid)-1], malformed, "Content-Type: "+mediaType)
		}
		chunked := "Transfer-Encoding: chunked"
		add("17 KiB in chunks", chunks(valid+strings.Repeat(" ", 17<<10)), large, chunked)
		add("1 MiB in chunks", chunks(strings.Repeat("[", 1<<20)), large, chunked)
		add("a chunk of no length", "zz\r\n"+valid+"\r\n0\r\n\r\n", malformed, chunked)
		add("a chunk of a huge length", "ffffffffffffffffff\r\n{}", malformed, chunked)
		for name, cut := range map[string]bad{
			"a chunk without an end":  op.send("", token, "5\r\n{}", malformed, chunked),
			"shorter than its length": op.send("", token, valid, malformed, fmt.Sprintf("Content-Length: %d", len(valid)+1)),
		} {
			cut.name, cut.ends = cut.name+name, true
			all = append(all, cut)
		}
		add("longer than the limit by its length", valid, large, "Content-Length: 99999999")
	}
	return all
}

// wholeBodies returns what is wrong as the body of any operation, made of a valid one.
func wholeBodies(valid string) []mistake {
	return []mistake{
		{"no object but a list", "[" + valid + "]", invalid},
		{"no object but a text", `"x"`, invalid},
		{"no object but a number", "1", invalid},
		{"null", "null", invalid},
		{"true", "true", invalid},
		{"an object of other members", `{"x":{}}`, invalid},
		{"cut off", valid[:len(valid)-1], malformed},
		{"cut off in a text", valid[:len(valid)-3], malformed},
		{"more behind it", valid + "x", malformed},
		{"two objects", valid + valid, malformed},
		{"two lines of JSON", valid + "\n" + valid, malformed},
		{"a comma too many", valid[:len(valid)-1] + ",}", malformed},
		{"a comment", "/* */" + valid, malformed},
		{"a byte order mark", "\ufeff" + valid, malformed},
		{"UTF-16", toUTF16(valid), malformed},
		{"a form", "name=Ann&email=ann@example.com", malformed},
		{"XML", "<order/>", malformed},
		{"a NUL byte", valid + "\x00", malformed},
		{"spaces only", "  \r\n", malformed},
		{"compressed", compress(valid), malformed},
		{"nested in a thousand lists", strings.Repeat("[", 1000) + strings.Repeat("]", 1000), tooLarge},
		{"a list that never ends", strings.Repeat("[", 1900), malformed}, {"objects that never end", strings.Repeat(`{"":`, 400), malformed},
		{"members without names that matter", `{"x":[{"":0}` + strings.Repeat(`,{"":0}`, 2000) + "]}", tooLarge}, {"many members", wide(2000), tooLarge},
		{"17 KiB", valid + strings.Repeat(" ", 17<<10), large}, {"1 MiB", `{"x":[` + strings.Repeat(`{"":0},`, 150_000) + "0]}", large},
	}
}

// chunks returns the body as one chunk after the other.
func chunks(body string) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(len(body), 0xfff)
		b.WriteString(hexOf(n) + "\r\n" + body[:n] + "\r\n")
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

func hexOf(n int) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[n>>8&15], digits[n>>4&15], digits[n&15]})
}

func compress(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s)) // to memory
	_ = w.Close()
	return b.String()
}

func toUTF16(s string) string {
	b := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(s)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}

// wide is an object of many members.
func wide(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"m` + hexOf(i) + `":1`)
	}
	return "{" + b.String()[1:] + "}"
}
