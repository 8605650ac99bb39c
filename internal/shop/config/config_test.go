package config_test

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/config"
)

type sample struct {
	port  int
	name  string
	wait  time.Duration
	peer  *url.URL
	level slog.Level
}

func bind(s *sample) *config.Set {
	set := config.New("sample-svc", "is a sample.")
	set.Port(&s.port, "PORT", "8080", "port to listen on")
	set.String(&s.name, "NAME", "mom", "whom to greet")
	set.Duration(&s.wait, "WAIT", "3s", "how long to wait", 0, time.Minute)
	set.URL(&s.peer, "PEER_URL", "http://peer.api", "where the peer is")
	set.Level(&s.level, "LOG_LEVEL", "info", "what to log")
	return set
}

func TestDefaultsAndValues(t *testing.T) {
	t.Setenv("PORT", "")
	t.Setenv("LOG_LEVEL", "debug")
	t.Setenv("WAIT", "1500ms")
	var s sample
	if err := bind(&s).Load(); err != nil {
		t.Fatal(err)
	}
	if s.port != 8080 || s.name != "mom" || s.wait != 1500*time.Millisecond || s.peer.Host != "peer.api" || s.level != slog.LevelDebug {
		t.Errorf("got %+v", s)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"PORT", "http", `PORT="http": must be a number from 1 to 65535`},
		{"PORT", "65536", `PORT="65536": must be a number from 1 to 65535`},
		{"WAIT", "2m", `WAIT="2m": must be a duration from 0s to 1m0s, such as 1m30s`},
		{"PEER_URL", "peer:80", `PEER_URL: must be a URL such as http://orders-svc.api`},
		{"PEER_URL", "ftp://u:secret@peer", `PEER_URL: must be a URL such as http://orders-svc.api`},
		{"PEER_URL", "http://u:hun/ter2@h/?q", `PEER_URL: must be a URL such as http://orders-svc.api`},
		{"PEER_URL", "http://:80", `PEER_URL: must be a URL such as http://orders-svc.api`},
		{"PEER_URL", "http://h:99999", `PEER_URL: must be a URL such as http://orders-svc.api`},
		{"PEER_URL", "http://h:0", `PEER_URL: must be a URL such as http://orders-svc.api`},
		{"LOG_LEVEL", "loud", `LOG_LEVEL="loud": must be debug, info, warn or error`},
	} {
		t.Run(tc.name+"="+tc.value, func(t *testing.T) {
			t.Setenv(tc.name, tc.value)
			if err := bind(new(sample)).Load(); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestAllRefusalsAtOnce(t *testing.T) {
	t.Setenv("PORT", "x")
	t.Setenv("WAIT", "y")
	err := bind(new(sample)).Load()
	if err == nil || !strings.Contains(err.Error(), "PORT=") || !strings.Contains(err.Error(), "WAIT=") {
		t.Errorf("got %v, want both variables named", err)
	}
}

func TestUsage(t *testing.T) {
	var out strings.Builder
	if err := bind(new(sample)).Usage(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"sample-svc: is a sample.", "PORT       8080             port to listen on", "PEER_URL"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("usage lacks %q:\n%s", want, out.String())
		}
	}
}

func TestNumbersAndNetworks(t *testing.T) {
	var n int
	var networks []netip.Prefix
	set := func(number, list string) error {
		t.Setenv("N", number)
		t.Setenv("NETWORKS", list)
		s := config.New("x", "")
		s.Int(&n, "N", "3", "", 1, 10)
		s.Networks(&networks, "NETWORKS", "", "")
		return s.Load()
	}
	if err := set("", ""); err != nil || n != 3 || networks != nil {
		t.Error(n, networks, err)
	}
	if err := set("7", "10.1.2.3/8, fd00::/8"); err != nil || n != 7 || fmt.Sprint(networks) != "[10.0.0.0/8 fd00::/8]" {
		t.Error(n, networks, err)
	}
	for _, bad := range [][2]string{{"0", ""}, {"11", ""}, {"x", ""}, {"1", "10.0.0.1"}, {"1", "10.0.0.0/33"}, {"1", "all"}} {
		if err := set(bad[0], bad[1]); err == nil || !strings.Contains(err.Error(), "must be") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestOptionalPort(t *testing.T) {
	for value, want := range map[string]int{"": 0, "9090": 9090} {
		t.Setenv("METRICS_PORT", value)
		port, set := -1, config.New("p", "p")
		set.OptionalPort(&port, "METRICS_PORT", "a port")
		if err := set.Load(); err != nil || port != want {
			t.Errorf("%q: %d, %v", value, port, err)
		}
	}
	t.Setenv("METRICS_PORT", "0")
	set := config.New("p", "p")
	set.OptionalPort(new(int), "METRICS_PORT", "a port")
	if err := set.Load(); err == nil || err.Error() != `METRICS_PORT="0": must be a number from 1 to 65535` {
		t.Errorf("error %v", err)
	}
}
