package routes

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/workload"
)

// deployment is one whose containers' port is http, and others.
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: ko://example.com/web
        ports: [{name: http, containerPort: 8080}, {name: other, containerPort: 9000}]
---
`

func serviceOf(name, ports string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: shop}\nspec: {selector: {app: web}, ports: [%s]}\n---\n", name, ports)
}

func ingressOf(rules string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop, namespace: shop}\nspec: {rules: [" + rules + "]}\n---\n"
}

func ruleOf(host, path, service, port string) string {
	return fmt.Sprintf("{host: '%s', http: {paths: [{path: %s, pathType: Prefix, backend: {service: {name: %s, port: {%s}}}}]}}", host, path, service, port)
}

// lead returns routes of manifests on a free port.
func lead(t *testing.T, manifests string, services map[string]string) *Routes {
	t.Helper()
	plan, err := workload.Read([]byte(manifests), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(kittest.FreePort(t), func(w *workload.Workload) string { return w.Name + " is not ready" })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if err := r.Lead(plan, services); err != nil {
		t.Fatal(err)
	}
	return r
}

// Each port has an address that can be pasted: below localhost what speaks HTTP,
// for others their own, and the hosts of Ingresses where users come in.
func TestAddressesOfAWorkload(t *testing.T) {
	http := "{name: http, port: 80, targetPort: http}"
	for name, test := range map[string]struct {
		manifests string
		want      []string // FRONT is the port of the front door, DOOR(n) the address of port n
	}{
		"one port":       {serviceOf("web", http), []string{"http://localhost:FRONT"}},
		"metrics":        {serviceOf("web", http+", {name: metrics, port: 9090, targetPort: other}"), []string{"http://localhost:FRONT", "http://metrics.web.shop.localhost:FRONT"}},
		"metrics first":  {serviceOf("web", "{name: metrics, port: 9090, targetPort: other}, "+http), []string{"http://localhost:FRONT", "http://metrics.web.shop.localhost:FRONT"}},
		"gRPC beside":    {serviceOf("web", http+", {name: grpc, port: 9000}"), []string{"http://localhost:FRONT", "grpc://DOOR(9000) (grpc)"}},
		"gRPC only":      {serviceOf("web", "{name: grpc, port: 9000}"), []string{"grpc://localhost:FRONT"}},
		"TCP beside":     {serviceOf("web", http+", {name: sql, port: 5432, targetPort: other}"), []string{"http://localhost:FRONT", "DOOR(5432) (sql)"}},
		"TCP only":       {serviceOf("web", "{port: 5432, targetPort: other}"), []string{"DOOR(5432) (5432)"}},
		"two Services":   {serviceOf("web", http) + serviceOf("web-metrics", "{name: metrics, port: 9000}"), []string{"http://localhost:FRONT", "http://web-metrics.shop.localhost:FRONT"}},
		"the same twice": {serviceOf("web", http) + serviceOf("web-headless", http), []string{"http://localhost:FRONT"}},
		"an Ingress": {serviceOf("web", http) + ingressOf(ruleOf("acme.example.com", "/", "web", "name: http")),
			[]string{"http://acme.localhost:FRONT", "http://localhost:FRONT"}},
		"paths of an Ingress": {serviceOf("web", http) + ingressOf(ruleOf("acme.localhost", "/shop/", "web", "number: 80")+", "+ruleOf("acme.localhost", "/more", "web", "number: 80")),
			[]string{"http://acme.localhost:FRONT/shop", "http://acme.localhost:FRONT/more", "http://localhost:FRONT"}},
		"an Ingress without a host":             {serviceOf("web", http) + ingressOf(ruleOf("", "/", "web", "number: 80")), []string{"http://localhost:FRONT"}},
		"an Ingress without a host, to another": {serviceOf("web", http) + ingressOf(ruleOf("", "/", "other", "number: 80")), []string{"http://web.shop.localhost:FRONT"}},
		"a wildcard":                            {serviceOf("web", http) + ingressOf(ruleOf("*.example.com", "/", "web", "number: 80")), []string{"http://localhost:FRONT"}},
		"no Service":                            {"", []string{"http://localhost:FRONT"}},
	} {
		r := lead(t, deployment+test.manifests, nil)
		var want []string
		for _, address := range test.want {
			address = strings.ReplaceAll(address, "FRONT", fmt.Sprint(r.port))
			for id, door := range r.doors {
				address = strings.ReplaceAll(address, fmt.Sprintf("DOOR(%d)", id.port), door.listener.Addr())
			}
			want = append(want, address)
		}
		if got := r.Entrances("shop/deployment.apps/web"); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// A door has the same port in every run, and another one where that is taken.
func TestDoorsKeepTheirPorts(t *testing.T) {
	service := fmt.Sprintf("web-%d", os.Getpid()) // Another run of this test may have the usual port of one name.
	manifests := deployment + serviceOf(service, "{port: 5432, targetPort: other}")
	address := func(r *Routes) string { return r.doors[doorID{"shop", service, 5432}].listener.Addr() }
	one := lead(t, manifests, nil)
	first := address(one)
	two := lead(t, manifests, nil)
	if address(two) == first {
		t.Errorf("two runs have %s", first)
	}
	one.Close()
	if again := address(lead(t, manifests, nil)); again != first {
		t.Errorf("%s has become %s", first, again)
	}
}

// An Ingress leads to what runs elsewhere too, and says what is not run.
func TestIngressBackendsThatAreNotRunHere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "elsewhere") }))
	defer elsewhere.Close()
	manifests := deployment + serviceOf("web", "{name: http, port: 80, targetPort: http}") +
		ingressOf(ruleOf("acme.example.com", "/api", "api", "number: 80")+", "+ruleOf("acme.example.com", "/files", "files", "name: http"))
	r := lead(t, manifests, map[string]string{"api": elsewhere.Listener.Addr().String()})
	for path, want := range map[string]string{
		"/api":   "elsewhere",
		"/files": "port http of service/files, to which Ingress shop leads, is not run here; if you have one, --service files=HOST:PORT\n",
	} {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", r.port, path), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "acme.localhost"
		answer := httptest.NewRecorder()
		r.front.ServeHTTP(answer, request)
		if got := answer.Body.String(); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
