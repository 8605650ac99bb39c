package rewrite_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/rewrite"
)

func TestPortsOfVariables(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string // the settings that name ports, with the port
	}{
		// names with a word for a port
		{env("METRICS_PORT", "9090"), "9090 variable METRICS_PORT"},
		{env("PORT_METRICS", "9090"), "9090 variable PORT_METRICS"},
		{env("metricsPort", "9090"), "9090 variable metricsPort"},
		{env("SERVER_PORT_HTTP", "9090"), "9090 variable SERVER_PORT_HTTP"},
		{env("metrics.port", "9090"), "9090 variable metrics.port"},
		{env("HTTPPORT", "9090"), "9090 variable HTTPPORT"},
		{env("HTTPPortAdmin", "9090"), "9090 variable HTTPPortAdmin"},
		{env("PORT2", "9090"), "9090 variable PORT2"},
		{env("PORT_NUMBER", "9090"), "9090 variable PORT_NUMBER"},
		{env("ADMIN_PORTNUM", "9090"), "9090 variable ADMIN_PORTNUM"},
		{env("REPORT_PORT", "9090"), "9090 variable REPORT_PORT"},
		{env("LISTEN", "9090"), "9090 variable LISTEN"},
		{env("PORTS", "8080,9090"), "8080 variable PORTS 9090 variable PORTS"},

		// names without one
		{env("EXPORT_X", "9090"), ""},
		{env("EXPORT", "9090"), ""},
		{env("SUPPORT_ID", "9090"), ""},
		{env("REPORT_INTERVAL", "9090"), ""},
		{env("TRANSPORT", "9090"), ""},
		{env("dataImport", "9090"), ""},
		{env("PORTAL", "9090"), ""},
		{env("PORTFOLIO_SIZE", "9090"), ""},
		{env("IMPORTANT", "9090"), ""},
		{env("X", "9090"), ""},
		{env("p", "9090"), ""},
		{env("LISTEN_BACKLOG", "9090"), ""},

		// values that are no port
		{env("METRICS_PORT", ""), ""},
		{env("METRICS_PORT", "off"), ""},
		{env("METRICS_PORT", "0"), ""},
		{env("METRICS_PORT", "99999"), ""},
		{env("METRICS_PORT", "-9090"), ""},
		{env("METRICS_PORT", "9090ms"), ""},

		// ports of other machines
		{env("DB_HOST", "db", "DB_PORT", "5432"), ""},
		{env("DB_HOST", "db", "DB_PORT_RW", "5432", "DB_PORT_RO", "5433"), ""},
		{env("DB_HOST_RW", "db", "DB_PORT_RW", "5432"), ""},
		{env("DB_SERVICE_HOST", "db", "DB_SERVICE_PORT", "5432"), ""},
		{env("dbHost", "db", "dbPort", "5432"), ""},
		{env("PGHOST", "db", "PGPORT", "5432"), ""},
		{env("DB_ADDR", "db", "DB_PORT", "5432"), ""},
		{env("DB_HOST_RO", "db", "DB_PORT_RW", "5432"), "5432 variable DB_PORT_RW"},
		{env("METRICS_HOST", "0.0.0.0", "METRICS_PORT", "9090"), "9090 variable METRICS_HOST"},
		{env("METRICS_ADDR", "localhost:1", "METRICS_PORT", "9090"), "1 variable METRICS_ADDR 9090 variable METRICS_PORT"},
		{env("HOST", "shop.example.com", "PORT_METRICS", "9090"), "9090 variable PORT_METRICS"},

		// addresses
		{env("X", ":9090"), "9090 variable X"},
		{env("X", "*:9090"), "9090 variable X"},
		{env("X", "tcp://:9090"), "9090 variable X"},
		{env("X", "[::]:9090,0.0.0.0:8080"), "8080 variable X 9090 variable X"},
		{env("X", "http://localhost"), "80 variable X"},
		{env("X", "http://other:9090/?port=9091"), ""},
		{env("X", "a:9090"), ""},

		// a text with keys
		{env("X", `{"metrics": {"port": 9090}, "listen": ":8080"}`), "8080 variable X 9090 variable X"},
		{env("X", `{"port":9090}`), "9090 variable X"},
		{env("X", `{"adminPort":"9090"}`), "9090 variable X"},
		{env("X", `{"db": {"host": "db", "port": 5432}, "http": {"port": 8080}}`), "8080 variable X"},
		{env("X", `{"host": "0.0.0.0", "port": 8080}`), "8080 variable X"},
		{env("X", `{"support": 9090, "portal": 9091}`), ""},
		{env("X", "http:\n  port: 8080\ndb:\n  host: db\n  port: 5432\n"), "8080 variable X"},
		{env("X", "dbs:\n- host: db\n  port: 5432\nport: 8080\n"), "8080 variable X"},
		{env("X", "{\n  \"host\": \"db\",\n  \"port\": 5432\n}"), ""},
		{env("X", "--http-port=8080 --admin-port 9090 -v"), "8080 variable X 9090 variable X"},
		{env("X", "-p 9090 -n 9091"), "9090 variable X"},
		{env("X", "server.port=8080;metrics.port=9090"), "8080 variable X 9090 variable X"},
		{env("X", "host=db port=5432 user=shop"), ""},
		{env("X", "report-port:9090"), ""},
		{env("X", "see port 9090"), ""},
	} {
		if got := ports(rewrite.Variables(test.env)); got != test.want {
			t.Errorf("%v names %q, want %q", test.env, got, test.want)
		}
	}
}

func TestPortsOfArguments(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--port-metrics=9090"}, "9090 argument --port-metrics"},
		{[]string{"--metrics.port", "9090"}, "9090 argument --metrics.port"},
		{[]string{"--listen-port-admin=9090"}, "9090 argument --listen-port-admin"},
		{[]string{"-metricsPort=9090"}, "9090 argument -metricsPort"},
		{[]string{"-p", "9090"}, "9090 argument -p"},
		{[]string{"-p=9090"}, "9090 argument -p"},
		{[]string{"-p9090"}, "9090 argument -p"},
		{[]string{"--addr=:9090"}, "9090 argument --addr"},
		{[]string{"--web.listen-address", ":9090"}, "9090 argument --web.listen-address"},
		{[]string{"--bind", "0.0.0.0:9090"}, "9090 argument --bind"},
		{[]string{"--listen", "9090"}, "9090 argument --listen"},
		{[]string{"serve", "9090"}, "9090 an argument"},
		{[]string{"--", "9090"}, "9090 an argument"},
		{[]string{"--set=metrics.port=9090"}, "9090 argument --set"},
		{[]string{"--config", `{"port": 9090}`}, "9090 argument --config"},
		{[]string{"--count", "9090"}, ""},
		{[]string{"-n=9090"}, ""},
		{[]string{"--export=9090", "--transport", "9090"}, ""},
		{[]string{"--host", "db", "--port", "5432"}, ""},
		{[]string{"--db-host=db", "--db-port=5432"}, ""},
		{[]string{"--verbose", "--port=9090", "--port=9091"}, "9090 argument --port 9091 argument --port"},
	} {
		if got := ports(rewrite.Arguments(test.args)); got != test.want {
			t.Errorf("%q name %q, want %q", test.args, got, test.want)
		}
	}
}

func env(pairs ...string) map[string]string {
	variables := map[string]string{}
	for pair := range slices.Chunk(pairs, 2) {
		variables[pair[0]] = pair[1]
	}
	return variables
}

func ports(settings []rewrite.Setting) string {
	text := ""
	named := rewrite.Ports(settings)
	for _, port := range slices.Sorted(maps.Keys(named)) {
		text += fmt.Sprintf(" %d %s", port, named[port].Label())
	}
	return strings.TrimPrefix(text, " ")
}
