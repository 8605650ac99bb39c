package config_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A value is taken within its bounds, or refused with the name of its variable; a
// secret one is never repeated.
func FuzzValues(f *testing.F) {
	for _, value := range []string{"8080", "0", "65536", "+80", "1e3", "3s", "-1s", "61s", "9999999999h", "debug", "INFO+4", "http://peer.api", "https://a:99999", "http://", "http://user:secret@peer",
		"ftp://x", "http://[::1]:80/base", "http://x?q", "//x", "http://x:0", "http://a b", "\x00"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.Contains(value, "\x00") {
			t.Skip("no environment holds it")
		}
		for _, name := range []string{"PORT", "WAIT", "PEER_URL", "LOG_LEVEL"} {
			var s sample
			t.Setenv(name, value)
			err := bind(&s).Load()
			t.Setenv(name, "")
			if err != nil {
				if text := err.Error(); !strings.HasPrefix(text, name) || name == "PEER_URL" && text != "PEER_URL: must be a URL such as http://orders-svc.api" {
					t.Errorf("%s=%q: %v", name, value, err)
				}
				continue
			}
			checkSample(t, s)
		}
	})
}

func checkSample(t *testing.T, s sample) {
	t.Helper()
	if s.port < 1 || s.port > 65535 || s.wait < 0 || s.wait > time.Minute {
		t.Errorf("port %d, wait %s", s.port, s.wait)
	}
	if u := s.peer; u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		t.Errorf("peer %q", u)
	}
	if _, port, err := net.SplitHostPort(s.peer.Host); err == nil && port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			t.Errorf("port %q of the peer", port)
		}
	}
}
