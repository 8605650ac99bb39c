package users

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// from returns a client with an address of its own.
func from(t *testing.T, address string) *http.Client {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Skip("this machine has one loopback address only: ", err)
	}
	l.Close()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func logInFrom(t *testing.T, c *http.Client, base, email, password string) *http.Response {
	t.Helper()
	res, err := c.Post(base+"/login", "application/json", strings.NewReader(fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func TestGuessingIsSlowedAndLocksNobodyOut(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		replicas := []string{start(t, url), start(t, url)}
		shoptest.Do(t, "POST", replicas[0]+"/users", "", ann).Want(t, 200)
		guesser, owner := from(t, "127.0.0.2"), from(t, "127.0.0.3")
		for _, email := range []string{"ann@example.com", "nobody@example.com"} {
			for i := range freeFailures {
				if got := logInFrom(t, guesser, replicas[i%2], email, "guess"); got.StatusCode != 401 {
					t.Fatal(got.Status)
				}
			}
			for _, base := range replicas {
				got := logInFrom(t, guesser, base, strings.ToUpper(email), "guess")
				if after, err := strconv.Atoi(got.Header.Get("Retry-After")); got.StatusCode != 429 || err != nil || after < 1 {
					t.Errorf("%s: %s, Retry-After %d, %v", email, got.Status, after, err)
				}
			}
		}
		if got := logInFrom(t, owner, replicas[1], "ann@example.com", "xxxxxxxx"); got.StatusCode != 200 {
			t.Errorf("the owner: %s", got.Status)
		}
	})
}

func TestPause(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		failures int
		ago      time.Duration
		want     time.Duration
	}{
		{0, 0, 0}, {4, 0, 0}, {5, 0, time.Second}, {6, 0, 2 * time.Second}, {10, 0, 32 * time.Second}, {11, 0, time.Minute}, {1000, 0, time.Minute},
		{5, time.Second, 0}, {7, time.Second, 3 * time.Second}, {1000, time.Hour, 0}, {1000, 2 * time.Hour, 0},
	} {
		if got := (history{failures: tc.failures, failedAt: now.Add(-tc.ago)}).pause(now); got != tc.want {
			t.Errorf("%d failures, the last one %v ago: pause of %v, want %v", tc.failures, tc.ago, got, tc.want)
		}
	}
}

func TestARightPasswordForgetsFailures(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		a := &attempts{databasetest.Open(t, url, schema, migrations)}
		who, now := asker{"127.0.0.1", "ann@example.com"}, time.Now()
		note := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		want := func(failures int, known bool) {
			t.Helper()
			if h, err := a.of(t.Context(), who); err != nil || h.failures != failures || h.isKnown(now) != known {
				t.Errorf("%+v, %v; want %d failures, known %v", h, err, failures, known)
			}
		}
		want(0, false)
		note(a.failed(t.Context(), who, now.Add(-2*failuresKept)))
		note(a.failed(t.Context(), who, now)) // The one before is forgotten.
		want(1, false)
		note(a.succeeded(t.Context(), who, history{failures: 1}, now))
		want(0, true)
		note(a.failed(t.Context(), who, now))
		want(1, true)
		if h, err := a.of(t.Context(), asker{"127.0.0.2", "ann@example.com"}); err != nil || h.failures != 0 || h.isKnown(now) {
			t.Errorf("another client: %+v, %v", h, err)
		}
		if _, err := a.db.ExecContext(t.Context(), `UPDATE login_attempts SET failed_at = 0, succeeded_at = 0`); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { a.purge(ctx, shoptest.Log()) })
		left := 1
		for deadline := time.Now().Add(10 * time.Second); left > 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			note(a.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM login_attempts`).Scan(&left))
		}
		stop()
		work.Wait()
		if left > 0 {
			t.Error("old attempts were not deleted")
		}
	})
}

func TestLimitOfAClient(t *testing.T) {
	l := newLimit(60)
	for range burst {
		if err := l.take(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	var refused *fault.Error
	err := l.take(t.Context(), "a")
	if refused, _ = err.(*fault.Error); refused == nil || refused.Code != fault.TooMany || refused.RetryAfter <= 0 || refused.RetryAfter > time.Second {
		t.Errorf("one more than a burst: %+v", refused)
	}
	if err := l.take(t.Context(), "b"); err != nil {
		t.Errorf("another client: %v", err)
	}
}

func TestLimitIsTold(t *testing.T) {
	base := start(t, databasetest.SQLite(t))
	got := logInFrom(t, from(t, "127.0.0.4"), base, "nobody@example.com", "guess")
	for name, want := range map[string]string{"RateLimit-Policy": `"passwords";q=100;w=20`, "RateLimit": `"passwords";r=99;t=1`} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: %s, want %s", name, value, want)
		}
	}
}

// TestAnHonestLoginBesideAFlood sends 200 wrong passwords a second from one address,
// for one account and for many, and logs in from another and from the same one.
func TestAnHonestLoginBesideAFlood(t *testing.T) {
	base := start(t, databasetest.SQLite(t))
	attacker, neighbour := from(t, "127.0.0.2"), from(t, "127.0.0.2")
	body := `{"name":"Ann","email":"ann@example.com","password":"xxxxxxxx"}`
	res, err := neighbour.Post(base+"/users", "application/json", strings.NewReader(body))
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	res.Body.Close()
	for name, account := range map[string]func(int) string{
		"one account": func(int) string { return "bob@example.com" }, "many accounts": func(i int) string { return fmt.Sprintf("%d@example.com", i) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			var flood sync.WaitGroup
			flood.Go(func() {
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for i := 0; ctx.Err() == nil; i++ {
					<-tick.C
					flood.Go(func() { logInFrom(t, attacker, base, account(i), "guess") })
				}
			})
			time.Sleep(time.Second)
			for honest, client := range map[string]*http.Client{"elsewhere": from(t, "127.0.0.3"), "at the same address": neighbour} {
				begin := time.Now()
				if got := logInFrom(t, client, base, "ann@example.com", "xxxxxxxx"); got.StatusCode != 200 {
					t.Errorf("%s: %s", honest, got.Status)
				}
				t.Logf("%s: %v", honest, time.Since(begin))
			}
			stop()
			flood.Wait()
		})
	}
}
