package route_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/route"
)

// ask returns what the front door answers to a request with a Host and a path.
func ask(t *testing.T, front *route.Front, target string) string {
	t.Helper()
	host, path, _ := strings.Cut(target, "/")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+front.Addr()+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http1(t).Do(request)
	if status, got := read(t, response, err); status == http.StatusOK {
		return got
	}
	return ""
}

// answering returns a pool for each name, which answers with it.
func answering(t *testing.T) func(name string) *route.Pool {
	pools := map[string]*route.Pool{}
	return func(name string) *route.Pool {
		if pools[name] == nil {
			pools[name] = poolOf(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
		}
		return pools[name]
	}
}

func TestFrontFollowsIngressHosts(t *testing.T) {
	to := answering(t)
	front, port := newFront(t)
	front.Set(route.Routes{
		Front:    to("front"),
		Services: map[string]*route.Pool{"web.shop": to("web"), "metrics.web.shop": to("metrics")},
		Rules: []route.Rule{
			{Host: "acme.example.com", Path: "/", Pool: to("acme")},
			{Host: "web.example.com", Path: "/", Pool: to("ingress web")},
			{Host: "one.localhost", Path: "/", Pool: to("one")},
			{Host: "single", Path: "/", Pool: to("single")},
			{Host: "twice.example.com", Path: "/", Pool: to("twice com")},
			{Host: "twice.example.org", Path: "/", Pool: to("twice org")},
			{Host: "*.apps.example.com", Path: "/", Pool: to("wildcard")},
			{Host: "exact.apps.example.com", Path: "/", Pool: to("not the wildcard")},
			{Host: "web.shop", Path: "/", Pool: to("host like a Service")},
			{Host: "Upper.Example.com", Path: "/", Pool: to("upper")},
			{Host: "acme.example.com", Path: "/", Pool: to("too late")},
		},
	})
	for target, want := range map[string]string{
		"acme.example.com":                        "acme",
		"ACME.example.com.:" + port:               "acme",
		"acme.localhost:" + port:                  "acme",
		"acme.example.com.localhost":              "acme",
		"acme.localhost/any/path":                 "acme",
		"web.example.com":                         "ingress web",
		"web.localhost":                           "web", // A Service's name goes first,
		"web.shop.localhost":                      "web",
		"web.shop":                                "host like a Service", // but not before a host.
		"metrics.web.shop.localhost":              "metrics",
		"web.example.com.localhost":               "ingress web",
		"one.localhost":                           "one",
		"single":                                  "single",
		"single.localhost":                        "single",
		"twice.localhost":                         "",
		"twice.example.com.localhost":             "twice com",
		"twice.example.org.localhost":             "twice org",
		"some.apps.example.com":                   "wildcard",
		"exact.apps.example.com":                  "not the wildcard",
		"apps.example.com":                        "front",
		"some.more.apps.example.com":              "front",
		"some.apps.example.com.localhost":         "wildcard",
		"exact.localhost":                         "not the wildcard",
		"upper.example.com":                       "upper",
		"upper.localhost":                         "upper",
		"unknown.localhost":                       "",
		"unknown.example.com":                     "front",
		"localhost:" + port:                       "front",
		"acme.example.com.evil.localhost:" + port: "",
	} {
		if got := ask(t, front, target); got != want {
			t.Errorf("%s led to %q, want %q", target, got, want)
		}
	}
}

// Paths are led as the specification of Ingress has it
// (https://kubernetes.io/docs/concepts/services-networking/ingress/#examples).
func TestFrontFollowsIngressPaths(t *testing.T) {
	to := answering(t)
	prefix := func(path string) route.Rule { return route.Rule{Host: "a.b", Path: path, Pool: to("prefix " + path)} }
	exact := func(path string) route.Rule {
		return route.Rule{Host: "a.b", Path: path, Exact: true, Pool: to("exact " + path)}
	}
	for name, test := range map[string]struct {
		rules []route.Rule
		want  map[string]string // by path
	}{
		"all":              {[]route.Rule{prefix("/")}, map[string]string{"/": "prefix /", "/any/path": "prefix /"}},
		"no path":          {[]route.Rule{prefix("")}, map[string]string{"/": "prefix ", "/any": "prefix "}},
		"exact":            {[]route.Rule{exact("/foo")}, map[string]string{"/foo": "exact /foo", "/bar": "", "/foo/": "", "/Foo": "", "/foo?a=b": "exact /foo"}},
		"exact, slash":     {[]route.Rule{exact("/foo/")}, map[string]string{"/foo": "", "/foo/": "exact /foo/"}},
		"elements":         {[]route.Rule{prefix("/aaa/bb")}, map[string]string{"/aaa/bbb": "", "/aaa/bb": "prefix /aaa/bb", "/aaa/bb/cc": "prefix /aaa/bb"}},
		"slash at end":     {[]route.Rule{prefix("/foo/")}, map[string]string{"/foo": "prefix /foo/", "/foo/": "prefix /foo/", "/foo/bar": "prefix /foo/", "/foobar": ""}},
		"slash in path":    {[]route.Rule{prefix("/foo")}, map[string]string{"/foo": "prefix /foo", "/foo/": "prefix /foo", "/fo": ""}},
		"longest":          {[]route.Rule{prefix("/"), prefix("/aaa"), prefix("/aaa/bbb")}, map[string]string{"/aaa/bbb": "prefix /aaa/bbb", "/aaa/ccc": "prefix /aaa", "/ccc": "prefix /"}},
		"exact goes first": {[]route.Rule{prefix("/foo"), exact("/foo")}, map[string]string{"/foo": "exact /foo", "/foo/": "prefix /foo"}},
		"asterisk":         {[]route.Rule{prefix("/foo/*")}, map[string]string{"/foo/bar": "prefix /foo/*", "/foo": "prefix /foo/*"}},
		"the first":        {[]route.Rule{prefix("/foo"), {Host: "a.b", Path: "/foo/", Pool: to("second")}}, map[string]string{"/foo": "prefix /foo"}},
	} {
		front, _ := newFront(t)
		front.Set(route.Routes{Rules: test.rules})
		for path, want := range test.want {
			if got := ask(t, front, "a.b"+path); got != want {
				t.Errorf("%s: %s led to %q, want %q", name, path, got, want)
			}
		}
	}
}

// What no rule of a host is about goes to the default backend; rules without a
// host are about all hosts that have none.
func TestFrontFollowsDefaults(t *testing.T) {
	to := answering(t)
	routes := route.Routes{
		Front: to("front"),
		Rules: []route.Rule{{Host: "a.b", Path: "/api", Pool: to("api")}, {Path: "/any", Pool: to("any host")}},
	}
	front, _ := newFront(t)
	for _, test := range []struct {
		byDefault *route.Pool
		want      map[string]string
	}{
		{nil, map[string]string{"a.b/api": "api", "a.b/": "", "a.b/any": "", "localhost/any/x": "any host", "c.d/any": "any host", "localhost/": "front", "c.d/": "front"}},
		{to("default"), map[string]string{"a.b/api": "api", "a.b/": "default", "localhost/any": "any host", "localhost/": "default", "c.d/": "default"}},
	} {
		routes.Default = test.byDefault
		front.Set(routes)
		for target, want := range test.want {
			if got := ask(t, front, target); got != want {
				t.Errorf("%s led to %q, want %q", target, got, want)
			}
		}
	}
}

func TestLocalNames(t *testing.T) {
	routes := route.Routes{Services: map[string]*route.Pool{"web.shop": nil}}
	for _, host := range []string{"acme.example.com", "web.example.com", "a.localhost", "twice.x", "twice.y", "web.shop", "*.example.com", "both.localhost", "both.x", "localhost"} {
		routes.Rules = append(routes.Rules, route.Rule{Host: host})
	}
	for host, want := range map[string]string{
		"":                 "localhost",
		"localhost":        "localhost",
		"acme.example.com": "acme.localhost",
		"web.example.com":  "web.example.com.localhost",
		"a.localhost":      "a.localhost",
		"twice.x":          "twice.x.localhost",
		"both.localhost":   "both.localhost",
		"both.x":           "both.x.localhost",
		"web.shop":         "",
		"*.example.com":    "",
	} {
		if got := routes.LocalName(host); got != want {
			t.Errorf("%q is %q below localhost, want %q", host, got, want)
		}
	}
}
