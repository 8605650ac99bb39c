package workload_test

import "testing"

func TestFront(t *testing.T) {
	a, b, c := service("a", "[{name: http, port: 1}]"), service("b", "[{name: http, port: 1}]"), service("c", "[{port: 80}]")
	for what, test := range map[string]struct{ manifests, want string }{
		"by its type": {deployment("a", "") + a + deployment("b", "") +
			"apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: api}\nspec: {type: NodePort, selector: {app: b}, ports: [{name: http, port: 1}]}\n---\n", "b"},
		"an Ingress leads to it":                                  {deployment("a", "") + a + deployment("b", "") + b + ingress("b"), "b"},
		"of two that an Ingress leads to, none refers to it":      {deployment("a", "") + a + deployment("b", "args: ['a:1']") + b + ingress("a") + ingress("b"), "b"},
		"of two that refer to each other, an Ingress leads to it": {deployment("a", "args: ['b:1']") + a + deployment("b", "args: ['a:1']") + b + ingress("b"), "b"},
		"it refers to others":                                     {deployment("a", "") + a + deployment("b", "args: ['c:80']") + b + deployment("c", "") + c, "b"},
		"no other refers to it":                                   {deployment("a", "env: [{name: A, value: 'http://a'}]") + a + deployment("b", "") + b, "a"},
		"it is the first": {deployment("a", "args: ['c:80']") + a + deployment("b", "args: ['a:1']") + b +
			deployment("c", "args: ['b:1']") + c, "a"},
		"it speaks HTTP": {deployment("a", "args: ['c:80']") + service("a", "[{port: 6379}]") + deployment("c", "") + c, "c"},
	} {
		front := read(t, test.manifests).Front()
		if front == nil || front.Name != test.want {
			t.Errorf("%s: front %v, want %s", what, front, test.want)
		}
	}
	if front := read(t, deployment("a", "")+service("a", "[{port: 6379}]")).Front(); front != nil {
		t.Errorf("front %v, though nothing speaks HTTP", front)
	}
}

// ingress leads to port 1 of a Service.
func ingress(service string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: " + service + ", namespace: api}\n" +
		"spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: " + service + ", port: {number: 1}}}}]}}]}\n---\n"
}

func TestPortsThatSpeakHTTP(t *testing.T) {
	for ports, want := range map[string]bool{
		"[{port: 80}]": true, "[{port: 8080}]": true, "[{name: http-api, port: 5}]": true, "[{name: grpc, port: 5}]": true,
		"[{name: x, appProtocol: kubernetes.io/h2c, port: 5}]": true, "[{port: 9, targetPort: 8081}]": true, "[{port: 9, targetPort: health}]": true,
		"[{port: 5432}]": false, "[{name: postgres, port: 5}]": false, "[{port: 9, targetPort: 8082}]": false, "[{port: 9, targetPort: none}]": false,
	} {
		plan := read(t, deployment("a", "ports: [{name: health, containerPort: 8081}]\nreadinessProbe: {httpGet: {port: health}}")+service("a", ports))
		if got := plan.Services[0].Ports[0].HTTP; got != want {
			t.Errorf("%s: HTTP %t, want %t", ports, got, want)
		}
	}
}

// What speaks nothing but gRPC is told apart, and so is what stands beside the
// program's own port.
func TestPortsOfOtherUses(t *testing.T) {
	for ports, want := range map[string]struct{ http, grpc, aside bool }{
		"[{name: grpc, port: 5}]":                       {http: true, grpc: true},
		"[{name: grpc-orders, port: 5}]":                {http: true, grpc: true},
		"[{name: x, appProtocol: grpc, port: 5}]":       {http: true, grpc: true},
		"[{name: x, port: 5, targetPort: 7}]":           {http: true, grpc: true}, // probed
		"[{name: grpc-web, port: 5}]":                   {http: true},
		"[{name: grpc, port: 5, targetPort: 8081}]":     {http: true}, // probed by HTTP
		"[{name: http, port: 5}]":                       {http: true},
		"[{name: metrics, port: 9090}]":                 {http: true, aside: true},
		"[{name: prometheus, port: 9090}]":              {http: true, aside: true},
		"[{name: http-metrics, port: 9090}]":            {http: true},
		"[{name: postgres, port: 5432}]":                {},
		"[{name: x, port: 9000}]":                       {},
		"[{name: tcp-metrics, port: 9000}]":             {},
		"[{name: debug, appProtocol: tcp, port: 2345}]": {aside: true},
	} {
		plan := read(t, deployment("a", "ports: [{containerPort: 1}]\nreadinessProbe: {httpGet: {port: 8081}}\nlivenessProbe: {grpc: {port: 7}}")+service("a", ports))
		p := plan.Services[0].Ports[0]
		if p.HTTP != want.http || p.GRPC != want.grpc || p.Aside != want.aside {
			t.Errorf("%s: HTTP %t, gRPC %t, aside %t, want %+v", ports, p.HTTP, p.GRPC, p.Aside, want)
		}
	}
}

// A fingerprint changes with what the workload itself is given only.
func TestFingerprintIsAboutOneWorkload(t *testing.T) {
	a := deployment("a", "args: ['b:1', 'c:1']")
	b, c := service("b", "[{name: x, port: 1}]"), service("c", "[{name: z, port: 1}]")
	base := read(t, a+deployment("b", "")+b+deployment("c", "")+c).Workloads[0].Fingerprint()
	for what, test := range map[string]struct {
		manifests string
		same      bool
	}{
		"the order of other objects":     {a + deployment("c", "") + c + deployment("b", "") + b, true},
		"a probe of another workload":    {a + deployment("b", "readinessProbe: {httpGet: {port: 1}}") + b + deployment("c", "") + c, true},
		"another workload's environment": {a + deployment("b", "env: [{name: A, value: b}]") + b + deployment("c", "") + c, true},
		"the name of a Service's port":   {a + deployment("b", "") + service("b", "[{name: http, port: 1}]") + deployment("c", "") + c, true},
		"one more workload":              {a + deployment("b", "") + b + deployment("c", "") + c + deployment("d", ""), true},
		"the number of a Service's port": {a + deployment("b", "") + service("b", "[{name: x, port: 2}]") + deployment("c", "") + c, false},
		"its own arguments":              {deployment("a", "args: ['b:1', 'c:1', d]") + deployment("b", "") + b + deployment("c", "") + c, false},
	} {
		if got := read(t, test.manifests).Workloads[0].Fingerprint(); (got == base) != test.same {
			t.Errorf("%s: the same fingerprint is %t", what, got == base)
		}
	}
}

func TestPortsThatArePresumedToSpeakHTTP(t *testing.T) {
	for container, ports := range map[string]string{
		"":                                   "[{port: 3000}]",
		"ports: [{containerPort: 3000}]":     "[{name: api, port: 4000, targetPort: 3000}]",
		"env: [{name: PORT, value: '3000'}]": "[{port: 3000}]",
		"ports: [{containerPort: 9090}, {name: http, containerPort: 3000}]": "[{port: 3000}]",
	} {
		p := read(t, deployment("a", container)+service("a", ports)).Services[0].Ports[0]
		if !p.HTTP || !p.Presumed {
			t.Errorf("%q, %s: HTTP %t, presumed %t", container, ports, p.HTTP, p.Presumed)
		}
	}
	p := read(t, deployment("a", "ports: [{containerPort: 3000}]")+service("a", "[{name: tcp-api, port: 3000}]")).Services[0].Ports[0]
	if p.HTTP || p.Presumed {
		t.Error("a port that says TCP is presumed to speak HTTP")
	}
}

// A workload that listens has an address without a Service too.
func TestImplicitServices(t *testing.T) {
	plan := read(t, deployment("web", "ports: [{containerPort: 8080}]")+deployment("worker", "")+deployment("db", "ports: [{containerPort: 5432}]"))
	if len(plan.Services) != 1 || plan.Services[0].Name != "web" || plan.Front() != plan.Services[0] {
		t.Errorf("services %v, front %v", plan.Services, plan.Front())
	}
	plan = read(t, deployment("web", "ports: [{containerPort: 8080}]\nargs: ['a:80']")+deployment("a", "")+service("a", "[{port: 80}]"))
	if front := plan.Front(); front == nil || front.Name != "a" {
		t.Errorf("front %v, want the Service of the manifests", front)
	}
}

func TestTargetPort(t *testing.T) {
	plan := read(t, deployment("a", "ports: [{name: web, containerPort: 8081}]")+
		service("a", "[{name: a, port: 1}, {name: b, port: 2, targetPort: 3}, {name: c, port: 4, targetPort: web}, {name: d, port: 5, targetPort: gone}, {name: e, port: 6, protocol: UDP}]"))
	s := plan.Services[0]
	for i, want := range []int32{1, 3, 8081, 0} {
		if got, err := s.Ports[i].TargetPort(s.Backends[0]); got != want || (err != nil) != (want == 0) {
			t.Errorf("port %s leads to %d (%v), want %d", s.Ports[i].Name, got, err, want)
		}
	}
	if len(s.Ports) != 4 {
		t.Errorf("%d ports, want the 4 that are TCP", len(s.Ports))
	}
	wantNotes(t, plan, "port 6 of service/a is left out: nothing forwards UDP here",
		`service/a leads nowhere: deployment.apps/a: no container has a port named "gone", to which port 5 of a Service leads`)
}
