package program

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/config"
)

func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		name           string
		args           []string
		port           string
		err            error
		code           int
		ran            bool
		stdout, stderr string
	}{
		{"clean", nil, "", nil, 0, true, "", ""},
		{"failure", nil, "", errors.New("it broke"), 1, true, "", "test: it broke\n"},
		{"help", []string{"-h"}, "", nil, 0, false, "port to listen on", ""},
		{"argument", []string{"serve"}, "", nil, 2, false, "", `it takes no arguments, got ["serve"]`},
		{"value", nil, "http", nil, 2, false, "", `test: PORT="http": must be a number from 1 to 65535`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("PORT", tc.port)
			var (
				stdout, stderr strings.Builder
				port           int
				ran            bool
			)
			p := Program{
				Name: "test", About: "is a test.",
				Bind: func(v *config.Set) { v.Port(&port, "PORT", "8080", "port to listen on") },
				Run:  func(context.Context, io.Writer) error { ran = true; return tc.err },
			}
			code := p.main(t.Context(), tc.args, &stdout, &stderr)
			if code != tc.code || ran != tc.ran || !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("code %d, ran %v, stdout %q, stderr %q", code, ran, stdout.String(), stderr.String())
			}
		})
	}
}
