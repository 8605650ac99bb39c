package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// Who is no trusted proxy cannot choose its address, and who is behind one cannot either,
// whatever it writes before what the proxy adds.
func FuzzClientAddress(f *testing.F) {
	for _, seed := range [][2]string{
		{"192.0.2.1:1", "203.0.113.9"}, {"10.0.0.1:1", "203.0.113.9"}, {"10.0.0.1:1", "198.51.100.7, 10.0.0.2"}, {"10.0.0.1:1", " ,,x"},
		{"[2001:db8:1:2::5]:1", ""}, {"[::ffff:10.0.0.1]:1", "2001:db8::1, ::ffff:10.0.0.9"}, {"[fe80::1%eth0]:1", ""}, {"@", "10.0.0.1"}, {"10.0.0.1:1", "fe80::1%x"},
	} {
		f.Add(seed[0], seed[1])
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	of := func(remote, forwarded string, trusted []netip.Prefix) string {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		return clientAddress(r, trusted)
	}
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		from, err := netip.ParseAddrPort(remote)
		if err != nil {
			t.Skip("the server itself notes this address")
		}
		got, direct := of(remote, forwarded, trusted), of(remote, "", nil)
		if !contains(trusted, from.Addr().Unmap()) && got != direct {
			t.Errorf("%s says %q and is %s", remote, forwarded, got)
		}
		if _, err := netip.ParseAddr(got); err != nil {
			if prefix, err := netip.ParsePrefix(got); err != nil || prefix.Bits() != 56 {
				t.Errorf("%s with %q is %q", remote, forwarded, got)
			}
		}
		proxied := of("10.0.0.1:1", "203.0.113.9", trusted)
		if claimed := of("10.0.0.1:1", forwarded+", 203.0.113.9", trusted); claimed != proxied {
			t.Errorf("203.0.113.9 says %q and is %s", forwarded, claimed)
		}
	})
}

// What is written instead of a refusal is an answer with the same status, and what a
// handler writes is never replaced.
func FuzzRefusal(f *testing.F) {
	for _, line := range []string{"400 Bad Request", "431 Request Header Fields Too Large", "505 HTTP Version Not Supported: x", "501 Not Implemented", "417 Expectation Failed", "400 \"\x00\xff", "400", ""} {
		f.Add(line, "")
		f.Add(line, "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n")
	}
	f.Fuzz(func(t *testing.T, line, more string) {
		if strings.ContainsAny(line, "\r\n") {
			t.Skip("no status line")
		}
		written := refusal([]byte(statusLine + line + "\r\n" + more + plain[2:]))
		if more != "" {
			if written != nil && line != "417 Expectation Failed" && !strings.HasPrefix(more, plain[2:]) {
				t.Errorf("the answer of a handler, %q and %q, becomes %q", line, more, written)
			}
			return
		}
		var status int
		if n, _ := fmt.Sscanf(line, "%d", &status); n == 0 || status < 400 || status > 599 {
			t.Skip("no status of a refusal")
		}
		if written != nil {
			checkRefusal(t, written, status)
		} else if strings.HasPrefix(line, fmt.Sprintf("%d ", status)) {
			t.Errorf("the refusal %q stays", line)
		}
	})
}

func checkRefusal(t *testing.T, written []byte, status int) {
	t.Helper()
	rest := bufio.NewReader(bytes.NewReader(written))
	answer, err := http.ReadResponse(rest, nil)
	if err != nil {
		t.Fatalf("%v: %q", err, written)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%v: %q", err, written)
	}
	var problem struct {
		Status int
		Detail string
	}
	if err := json.Unmarshal(body, &problem); err != nil || problem.Status != status || answer.StatusCode != status || rest.Buffered() != 0 || !answer.Close ||
		answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v: %q", err, written)
	}
}
