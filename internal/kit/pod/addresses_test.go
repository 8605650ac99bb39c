package pod_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		// URLs
		{"URL", "http://orders-svc", "http://127.0.0.1:30080"},
		{"X", "http://orders-svc", "http://127.0.0.1:30080"},
		{"X", "http://orders-svc/", "http://127.0.0.1:30080/"},
		{"X", "http://orders-svc:80/a/orders-svc?b=orders-svc#orders-svc", "http://127.0.0.1:30080/a/orders-svc?b=orders-svc#orders-svc"},
		{"X", "http://orders-svc?x", "http://127.0.0.1:30080?x"},
		{"X", "https://orders-svc", "https://127.0.0.1:30080"},
		{"X", "http://orders-svc.api", "http://127.0.0.1:30080"},
		{"X", "http://orders-svc.api.svc:80", "http://127.0.0.1:30080"},
		{"X", "http://orders-svc.api.svc.cluster.local/x", "http://127.0.0.1:30080/x"},
		{"X", "http://orders-svc.api.svc.cluster.local.:80/x", "http://127.0.0.1:30080/x"},
		{"X", "postgres://shop@postgres/shop?sslmode=disable", "postgres://shop@127.0.0.1:35432/shop?sslmode=disable"},
		{"X", "postgres://postgres:postgres@postgres:5432/postgres", "postgres://postgres:postgres@127.0.0.1:35432/postgres"},
		{"X", "postgres://postgres:5432@elsewhere/postgres", "postgres://postgres:5432@elsewhere/postgres"},
		{"X", "postgresql://postgres", "postgresql://127.0.0.1:35432"},
		{"X", "jdbc:postgresql://postgres:5432/db", "jdbc:postgresql://127.0.0.1:35432/db"},
		{"X", "redis://:secret@cache/0", "redis://:secret@127.0.0.1:36379/0"},
		{"X", "redis://cache:9121", "redis://127.0.0.1:39121"},
		{"X", "nats://a:b@nats:4222,nats.api:4222", "nats://a:b@127.0.0.1:34222,127.0.0.1:34222"},
		{"X", "http://orders-svc,http://shop/x", "http://127.0.0.1:30080,http://127.0.0.1:38080/x"},
		{"X", "http://shop", "http://127.0.0.1:38080"},
		{"X", "http://billing.back", "http://127.0.0.1:30080"},
		{"X", "https://billing.back", "https://127.0.0.1:30443"},
		{"X", "grpc://billing.back", "grpc://billing.back"}, // which port?
		{"X", "tcp://nats", "tcp://127.0.0.1:34222"},
		{"X", "dns:///orders-svc:80", "dns:///127.0.0.1:30080"},
		{"X", "dns:///orders-svc.api.svc.cluster.local", "dns:///127.0.0.1:30080"},
		{"X", "passthrough:///orders-svc:80", "passthrough:///127.0.0.1:30080"},
		{"X", `{"orders": "http://orders-svc", "cache": "cache:6379"}`, `{"orders": "http://127.0.0.1:30080", "cache": "127.0.0.1:36379"}`},
		{"X", "http://proxy/?to=http://orders-svc&x", "http://proxy/?to=http://127.0.0.1:30080&x"},

		// host:port
		{"X", "orders-svc:80", "127.0.0.1:30080"},
		{"X", "orders-svc.api:80", "127.0.0.1:30080"},
		{"X", "orders-svc:80/path", "127.0.0.1:30080/path"},
		{"X", "orders-svc:80,cache:6379; nats:4222", "127.0.0.1:30080,127.0.0.1:36379; 127.0.0.1:34222"},
		{"X", "user:pass@cache:6379", "user:pass@127.0.0.1:36379"},
		{"X", "root:pw@tcp(postgres:5432)/shop?x=y", "root:pw@tcp(127.0.0.1:35432)/shop?x=y"},
		{"X", "root:pw@tcp(postgres)/shop", "root:pw@tcp(127.0.0.1:35432)/shop"},
		{"X", "host=postgres user=shop dbname=shop", "host=127.0.0.1 port=35432 user=shop dbname=shop"},
		{"X", "user=postgres host=postgres.api port=5432 dbname=postgres", "user=postgres host=127.0.0.1 port=35432 dbname=postgres"},

		// qualified names without a port
		{"X", "orders-svc.api", "127.0.0.1:30080"},
		{"X", "orders-svc.api.svc, shop.api.svc.cluster.local.", "127.0.0.1:30080, 127.0.0.1:38080"},
		{"X", "billing.back", "billing.back"}, // which port?
		{"X", "mongo-0.mongo:27017,mongo-1.mongo.api.svc:27017,mongo-2.mongo", "127.0.0.1:31017,127.0.0.1:31017,127.0.0.1:31017"},
		{"X", "mongodb://mongo-0.mongo,mongo-1.mongo.api.svc.cluster.local/shop", "mongodb://127.0.0.1:31017,127.0.0.1:31017/shop"},
		{"X", "mongo:1017", "127.0.0.1:31017"},

		// bare names
		{"ORDERS_ADDR", "orders-svc", "127.0.0.1:30080"},
		{"ORDERS_ENDPOINT", "orders-svc", "127.0.0.1:30080"},
		{"UPSTREAMS", "orders-svc,nats", "127.0.0.1:30080,127.0.0.1:34222"},
		{"BACKEND", "orders-svc", "orders-svc"},
		{"OTEL_SERVICE_NAME", "orders-svc", "orders-svc"},
		{"OTEL_SERVICE_NAME", "orders-svc.api", "orders-svc.api"},
		{"TLS_SERVER_NAME", "orders-svc.api.svc", "orders-svc.api.svc"},
		{"SECRET_NAME", "postgres", "postgres"},
		{"RABBITMQ_VHOST", "shop", "shop"},
		{"HOST", "orders-svc", "orders-svc"},
		{"SERVER", "orders-svc says hello", "orders-svc says hello"},
		{"SERVER", "billing", "billing"}, // of another namespace

		// the same words where they are no host, or no Service
		{"X", "http://orders-svcs", "http://orders-svcs"},
		{"X", "http://my-orders-svc", "http://my-orders-svc"},
		{"X", "http://orders-svc_x", "http://orders-svc_x"},
		{"X", "http://orders-svc.example.com", "http://orders-svc.example.com"},
		{"X", "http://orders-svc.other", "http://orders-svc.other"},
		{"X", "http://www.orders-svc.api", "http://www.orders-svc.api"},
		{"X", "http://x-0.orders-svc", "http://x-0.orders-svc"}, // has no names for pods
		{"X", "http://orders-svc$(Y)", "http://orders-svc$(Y)"},
		{"X", "http://billing", "http://billing"},
		{"X", "http://outside", "http://outside"},
		{"X", "http://orders-svc:81", "http://orders-svc:81"},
		{"X", "http://orders-svc:800", "http://orders-svc:800"},
		{"X", "http://orders-svc:80x", "http://orders-svc:80x"},
		{"X", "http://orders-svc:port", "http://orders-svc:port"},
		{"X", "http://orders-svc:99999999999", "http://orders-svc:99999999999"},
		{"X", "http://example.com/orders-svc:80", "http://example.com/orders-svc:80"},
		{"X", "postgres:15", "postgres:15"},
		{"X", "registry/postgres:5432", "registry/postgres:5432"},
		{"X", "x@orders-svc.api", "x@orders-svc.api"},
		{"ADDRESS", "mailto:x@orders-svc.api", "mailto:x@orders-svc.api"},
		{"X", "file:///orders-svc", "file:///orders-svc"},
		{"X", "sqlite://postgres", "sqlite://postgres"},
		{"X", "/etc/orders-svc.api", "/etc/orders-svc.api"},
		{"X", "orders-svc.api.yaml", "orders-svc.api.yaml"},
		{"X", "orders-svc.api/role", "orders-svc.api/role"},
		{"X", "name=orders-svc", "name=orders-svc"},
		{"X", "orders-svc", "orders-svc"},
		{"X", "orders-svc.", "orders-svc."},
		{"X", "", ""},
		{"X", "http://", "http://"},
		{"X", "http://örders-svc", "http://örders-svc"},
	} {
		c := app(t, newSite(t), fmt.Sprintf("env: [{name: %s, value: %q}]\nargs: [%q]", test.name, test.value, "--"+strings.ToLower(test.name)+"="+test.value), town)
		wantVariables(t, c, map[string]string{test.name: test.want})
		if want := "--" + strings.ToLower(test.name) + "=" + test.want; c.Args[0] != want && test.name != "HOST" {
			t.Errorf("argument %s, want %s", c.Args[0], want)
		}
	}
}

func TestHostsWithAPortOfTheirOwn(t *testing.T) {
	for _, test := range []struct{ env, want map[string]string }{
		{map[string]string{"PGHOST": "postgres"}, map[string]string{"PGHOST": "127.0.0.1", "PGPORT": "35432"}},
		{map[string]string{"DB_HOST": "postgres.api", "DB_PORT": "5432"}, map[string]string{"DB_HOST": "127.0.0.1", "DB_PORT": "35432"}},
		{map[string]string{"DB_HOST": "postgres", "DB_PORT": "5433"}, map[string]string{"DB_HOST": "postgres", "DB_PORT": "5433"}},
		{map[string]string{"DB_HOST": "elsewhere", "DB_PORT": "8080"}, map[string]string{"DB_HOST": "elsewhere", "DB_PORT": "8080"}},
		{map[string]string{"CACHE_HOSTNAME": "cache"}, map[string]string{"CACHE_HOSTNAME": "cache", "CACHE_PORT": "-"}}, // which port?
		{map[string]string{"DB_HOST": "postgres", "DB_PORT_RW": "5432", "DB_PORT_RO": "5433"}, map[string]string{"DB_HOST": "127.0.0.1", "DB_PORT_RW": "35432", "DB_PORT_RO": "5433"}},
		{map[string]string{"CACHE_HOST": "cache", "CACHE_PORT_RW": "6379"}, map[string]string{"CACHE_HOST": "127.0.0.1", "CACHE_PORT_RW": "36379"}},
		{map[string]string{"CACHE_HOST": "cache", "CACHE_PORT_METRICS": "9121", "CACHE_PORT": "6379"}, map[string]string{"CACHE_HOST": "127.0.0.1", "CACHE_PORT_METRICS": "39121", "CACHE_PORT": "36379"}},
		{map[string]string{"CACHE_HOST": "cache:6379"}, map[string]string{"CACHE_HOST": "127.0.0.1:36379", "CACHE_PORT": "-"}},
		{map[string]string{"LISTEN_HOST": "0.0.0.0", "LISTEN_PORT": "8080"}, map[string]string{"LISTEN_HOST": "127.0.0.1", "LISTEN_PORT": "20001"}},
	} {
		env := "ports: [{containerPort: 8080}]\nenv:\n"
		for name, value := range test.env {
			env += fmt.Sprintf("- {name: %s, value: %q}\n", name, value)
		}
		wantVariables(t, app(t, newSite(t), env, town), test.want)
	}
}

func TestHostsInArguments(t *testing.T) {
	for args, want := range map[string]string{
		"--db-host postgres --db-port 5432":     "--db-host 127.0.0.1 --db-port 35432",
		"--db-port=5432 --db-host=postgres":     "--db-port=35432 --db-host=127.0.0.1",
		"-host postgres -v":                     "-host 127.0.0.1:35432 -v",
		"serve orders-svc orders-svc:80":        "serve orders-svc 127.0.0.1:30080",
		"--upstream orders-svc":                 "--upstream 127.0.0.1:30080",
		"--orders=http://orders-svc.api/v1 x=y": "--orders=http://127.0.0.1:30080/v1 x=y",
	} {
		c := app(t, newSite(t), "args: ['"+strings.ReplaceAll(args, " ", "', '")+"']", town)
		if got := strings.Join(c.Args, " "); got != want {
			t.Errorf("%s became %s, want %s", args, got, want)
		}
	}
}

func TestRedirections(t *testing.T) {
	site := newSite(t)
	site.Redirect = map[string]string{"orders-svc": "10.0.0.1:1000", "mysql": "127.0.0.1:3307", "billing.back": "example.com:2000"}
	c := app(t, site, `env:
- {name: A, value: "http://orders-svc/x"}
- {name: B, value: "root@tcp(mysql:3306)/shop"}
- {name: C, value: "http://billing.back:9 http://mysql.back http://mysql.example"}
- {name: DB_HOST, value: mysql}
`, town)
	wantVariables(t, c, map[string]string{
		"A": "http://10.0.0.1:1000/x", "B": "root@tcp(127.0.0.1:3307)/shop",
		"C":       "http://example.com:2000 http://127.0.0.1:3307 http://mysql.example",
		"DB_HOST": "127.0.0.1", "DB_PORT": "3307", "ORDERS_SVC_SERVICE_HOST": "10.0.0.1", "ORDERS_SVC_SERVICE_PORT": "1000",
	})
}

func FuzzAddressesChangeOnlyWhereAServiceIsNamed(f *testing.F) {
	for _, value := range []string{"http://orders-svc", "a:b@tcp(x:1)/c", "host=a user=b", "[::]:80", "http://u@h,h:80/p", "$$(X)", "dns:///a"} {
		f.Add("ADDR", value)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if strings.ContainsAny(name+value, "$\x00=") || name == "" || name == "PORT" {
			t.Skip()
		}
		c := appGiven(t, newSite(t), map[string]string{name: value}, "", town)
		got, found := variable(c, name)
		if !found {
			t.Fatalf("%q is gone", name)
		}
		if got != value && !namesSomething(value) {
			t.Errorf("%q became %q", value, got)
		}
	})
}

// namesSomething reports whether a value has a word that may be rewritten.
func namesSomething(value string) bool {
	for _, word := range []string{"orders-svc", "postgres", "cache", "nats", "shop", "mongo", "billing", ":8080", "8080"} {
		if strings.Contains(value, word) {
			return true
		}
	}
	return false
}
