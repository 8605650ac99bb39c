package web_test

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/requestid"
)

func TestLog(t *testing.T) {
	url, log := service(t, nil)
	res, _ := send(t, "GET", url+"/plain?token=letmein", "")
	if got := res.Header.Get(requestid.Header); got != "test-id" {
		t.Errorf("request id %q", got)
	}
	for _, want := range []string{`"level":"ERROR"`, `"path":"/plain"`, `"status":500`, `"error":"secret innards"`, `"request_id":"test-id"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %s: %s", want, log)
		}
	}
	if strings.Contains(log.String(), "letmein") {
		t.Errorf("the query is logged: %s", log)
	}
	log.Reset()
	send(t, "GET", url+"/panic", "")
	if !strings.Contains(log.String(), "handler_test.go") {
		t.Errorf("log lacks the stack of a panic: %s", log)
	}
	log.Reset()
	send(t, "GET", url+"/livez", "")
	if log.Len() > 0 {
		t.Errorf("probes are logged at info: %s", log)
	}
}
