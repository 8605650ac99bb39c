package workload_test

import (
	"testing"

	"github.com/koshop/koshop/internal/kit/workload"
)

func TestFront(t *testing.T) {
	a, b, c := service("a", "[{name: http, port: 1}]"), service("b", "[{name: http, port: 1}]"), service("c", "[{port: 80}]")
	for what, test := range map[string]struct{ manifests, want string }{
		"by its type": {deployment("a", "") + a + deployment("b", "") +
			"apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: api}\nspec: {type: NodePort, selector: {app: b}, ports: [{name: http, port: 1}]}\n---\n", "b"},
		"it refers to others": {deployment("a", "") + a + deployment("b", "args: ['c:80']") + b + deployment("c", "") + c, "b"},
		"nobody refers to it": {deployment("a", "env: [{name: A, value: 'http://a'}]") + a + deployment("b", "") + b, "a"},
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
	wantNotes(t, plan, "port 6 of service/a is left out: nothing forwards UDP here")
}

// wantPorts compares a container's ports.
func wantPorts(t *testing.T, c workload.Container, want map[int32]int) {
	t.Helper()
	if len(c.Ports) != len(want) {
		t.Errorf("ports %v, want %v", c.Ports, want)
	}
	for port, here := range want {
		if c.Ports[port] != here {
			t.Errorf("port %d is %d here, want %d", port, c.Ports[port], here)
		}
	}
}
