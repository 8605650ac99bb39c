package rewrite_test

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/rewrite"
)

// rules know the host db with port 5432, and the program's own port 9090.
func rules() rewrite.Rules {
	own := func(port int32) (int, bool) { return 7, port == 9090 }
	db := func(host string) rewrite.Target {
		if host != "db" {
			return nil
		}
		return func(_ string, port int32) (string, bool) { return "127.0.0.1:8", port == 0 || port == 5432 }
	}
	return rewrite.Rules{Find: rewrite.Local(own, db), Own: own}
}

func TestTwoHostsOfOnePort(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{env("DB_HOST", "db", "DB_HOSTNAME", "db", "DB_PORT", "5432"), "DB_HOST=127.0.0.1 DB_HOSTNAME=127.0.0.1 DB_PORT=8"},
		{env("DB_HOST", "db", "DB_HOSTNAME", "db", "DB_PORT", ""), "DB_HOST=127.0.0.1 DB_HOSTNAME=127.0.0.1 DB_PORT=8"},
		{env("DB_HOST", "db", "DB_PORT_A", "5432", "DB_PORT_B", "5433"), "DB_HOST=127.0.0.1 DB_PORT_A=8 DB_PORT_B=5433 DB_PORT=8"},
	} {
		var got []string
		for _, s := range rules().Variables(rewrite.Variables(test.env)) {
			got = append(got, s.String())
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("%v became %s, want %s", test.env, text, test.want)
		}
	}
}

func FuzzOnlyKnownHostsAndPortsAreRewritten(f *testing.F) {
	for _, s := range []string{"db", "--db-host=db --db-port=5432", "host=db user=a port=5432", `{"port":9090,"a":":9090"}`, "-p 9090", "db:5432,:9090", "9090"} {
		f.Add("DB_HOST", s, "DB_HOSTNAME", s, "DB_PORT", s)
	}
	f.Fuzz(func(t *testing.T, a, one, b, two, c, three string) {
		before := []string{a + "=" + one, "--" + b + "=" + two, "-" + c, three}
		for i, after := range rules().Args(before) {
			if all := strings.Join(before, " "); after != before[i] && !strings.Contains(all, "db") && !strings.Contains(all, "9090") {
				t.Errorf("%q became %q", before[i], after)
			}
		}
		variables := map[string]string{a: one, b: two, c: three}
		if got := rules().Variables(rewrite.Variables(variables)); len(got) < len(variables) {
			t.Errorf("%d variables became %d", len(variables), len(got))
		}
	})
}
