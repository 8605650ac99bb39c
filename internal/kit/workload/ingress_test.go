package workload_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/workload"
)

func TestIngressRules(t *testing.T) {
	plan := read(t, deployment("a", "")+service("a", "[{name: http, port: 1}]")+`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: api, annotations: {nginx.ingress.kubernetes.io/rewrite-target: /}}
spec:
  tls: [{hosts: [acme.example.com]}]
  defaultBackend: {service: {name: a, port: {name: http}}}
  rules:
  - host: acme.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 1}}}}
      - {path: /exact, pathType: Exact, backend: {service: {name: elsewhere, port: {number: 80}}}}
      - {path: /bucket, pathType: Prefix, backend: {resource: {kind: Bucket, name: files}}}
  - host: nothing.example.com
  - http:
      paths:
      - {pathType: ImplementationSpecific, backend: {service: {name: a, port: {name: http}}}}
`)
	a := workload.IngressBackend{Service: "a", PortName: "http"}
	want := []workload.Ingress{{Namespace: "api", Name: "shop", Default: &a, Rules: []workload.IngressRule{
		{Host: "acme.example.com", Path: "/", Backend: workload.IngressBackend{Service: "a", Port: 1}},
		{Host: "acme.example.com", Path: "/exact", Exact: true, Backend: workload.IngressBackend{Service: "elsewhere", Port: 80}},
		{Backend: a},
	}}}
	if !reflect.DeepEqual(plan.Ingresses, want) {
		t.Errorf("got  %+v\nwant %+v", plan.Ingresses, want)
	}
	s := plan.Services[0]
	for _, backend := range []workload.IngressBackend{a, {Service: "a", Port: 1}} {
		if !backend.Serves(s, s.Ports[0]) {
			t.Errorf("%+v is not port %+v of %s", backend, s.Ports[0], s)
		}
	}
	for _, other := range []workload.IngressBackend{{Service: "b", Port: 1}, {Service: "a", Port: 2}, {Service: "a"}, {Service: "a", PortName: "grpc"}} {
		if other.Serves(s, s.Ports[0]) {
			t.Errorf("%+v is port %+v of %s", other, s.Ports[0], s)
		}
	}
	notes := strings.Join(plan.Notes, "\n")
	for _, want := range []string{"without TLS", "a backend that is no Service is left out"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q: %s", want, notes)
		}
	}
}
