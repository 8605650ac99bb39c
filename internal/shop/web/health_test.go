package web_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/web"
)

func TestHealth(t *testing.T) {
	url, log := service(t, func(o *web.Options) {
		o.Ready = func(context.Context) error { return errors.New("database gone") }
	})
	res, body := send(t, "GET", url+"/healthz", "")
	if res.StatusCode != 201 || strings.TrimSpace(body) != `{"message":"Hi!"}` {
		t.Errorf("healthz: %d %s", res.StatusCode, body)
	}
	host, err := os.Hostname()
	if got := res.Header.Get("X-Served-By"); err != nil || got != host {
		t.Errorf("healthz is served by %q, want %q (error %v)", got, host, err)
	}
	if res, _ := send(t, "GET", url+"/livez", ""); res.StatusCode != 200 {
		t.Errorf("livez: %d", res.StatusCode)
	}
	res, body = send(t, "GET", url+"/readyz", "")
	if res.StatusCode != 503 || strings.Contains(body, "database") || !strings.Contains(log.String(), "database gone") || !strings.Contains(log.String(), "WARN") {
		t.Errorf("readyz: %d %s, logged %s", res.StatusCode, body, log)
	}
}

func TestGateWhileStarting(t *testing.T) {
	url, _ := service(t, func(o *web.Options) { o.Started = func() bool { return false } })
	if res, body := send(t, "GET", url+"/missing", ""); res.StatusCode != 503 {
		t.Errorf("an operation: %d %s", res.StatusCode, body)
	}
	if res, _ := send(t, "GET", url+"/healthz", ""); res.StatusCode != 201 {
		t.Errorf("healthz: %d", res.StatusCode)
	}
}
