package listen_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/koshop/koshop/internal/kit/listen"
)

func TestDecide(t *testing.T) {
	for _, test := range []struct {
		containers string // YAML
		targets    []int32
		want       string
	}{
		{"[{}]", nil, "PORT 8080 (presumed): 8080 variable PORT"},
		{"[{}]", []int32{3000, 3001}, "PORT 3000: 3000 variable PORT, 3001 fixed"},
		{"[{ports: [{containerPort: 9000}]}]", []int32{9000}, "PORT 9000: 9000 variable PORT"},
		{"[{ports: [{containerPort: 9000}, {containerPort: 8080, name: http}]}]", nil, "PORT 8080: 9000 fixed, 8080 variable PORT"},
		{"[{ports: [{containerPort: 53, name: http, protocol: UDP}, {containerPort: 9000}]}]", nil, "PORT 9000: 9000 variable PORT"},
		{"[{ports: [{containerPort: 9000}, {containerPort: 8080, name: http}], env: [{name: PORT, value: '9000'}]}]", nil, "PORT 9000: 9000 variable PORT, 8080 fixed"},
		{"[{env: [{name: PORT, value: '[::]:9000'}]}]", nil, "PORT 9000: 9000 variable PORT"},
		{"[{env: [{name: PORT, value: '9000,9001'}]}]", nil, "PORT 8080 (presumed): 8080 variable PORT"},
		{"[{ports: [{containerPort: 1}, {containerPort: 2}, {containerPort: 3}, {containerPort: 4}], env: [{name: PORT_A, value: '2'}], args: [--b-port, '3']}]", nil,
			"PORT 1: 1 variable PORT, 2 variable PORT_A, 3 argument --b-port, 4 fixed"},
		{"[{env: [{name: METRICS_PORT, value: '9090'}]}]", nil, "PORT 8080 (presumed): 8080 variable PORT"},
		{"[{readinessProbe: {grpc: {port: 7}}, livenessProbe: {tcpSocket: {port: 8}}, startupProbe: {httpGet: {port: 9, host: elsewhere}}}]", nil,
			"PORT 7: 7 variable PORT, 8 fixed"},
		{"[{}, {ports: [{containerPort: 9000}]}]", []int32{3000}, "PORT 3000: 3000 variable PORT; PORT 9000: 9000 variable PORT"},
		{"[{readinessProbe: {tcpSocket: {port: 9000}}}, {ports: [{containerPort: 9000}]}]", []int32{9000}, "none; PORT 9000: 9000 variable PORT"},
	} {
		var specs []corev1.Container
		if err := yaml.UnmarshalStrict([]byte(test.containers), &specs); err != nil {
			t.Fatal(err)
		}
		var containers []listen.Container
		for _, spec := range specs {
			variables := map[string]string{}
			for _, v := range spec.Env {
				variables[v.Name] = v.Value
			}
			containers = append(containers, listen.Container{Spec: spec, Variables: variables, Arguments: spec.Args})
		}
		var got []string
		for _, ports := range listen.Decide(containers, test.targets) {
			got = append(got, describe(ports))
		}
		if text := strings.Join(got, "; "); text != test.want {
			t.Errorf("%s with targets %v: %s, want %s", test.containers, test.targets, text, test.want)
		}
	}
}

// An init container has ended before another listens on the same port; what no
// container has is the first main container's, not a sidecar's.
func TestDecideGoesByRoles(t *testing.T) {
	ports := func(number int32) corev1.Container {
		return corev1.Container{Ports: []corev1.ContainerPort{{ContainerPort: number}}}
	}
	decided := listen.Decide([]listen.Container{
		{Spec: ports(3000), Role: listen.Init}, {Spec: ports(9000), Role: listen.Sidecar}, {Role: listen.Main},
	}, []int32{3000, 9000})
	if got, want := describe(decided[2]), "PORT 3000: 3000 variable PORT"; got != want {
		t.Errorf("main container: %s, want %s", got, want)
	}
}

// Containers of a pod may share a ConfigMap that has PORT, though one of them
// listens.
func TestDecideWithASharedPORT(t *testing.T) {
	port := corev1.Container{Ports: []corev1.ContainerPort{{ContainerPort: 3000}}}
	variables := map[string]string{"PORT": "3000"}
	for _, test := range []struct {
		containers []listen.Container
		want       string
	}{
		{[]listen.Container{{Variables: variables}, {Spec: port, Variables: variables}}, "none; PORT 3000: 3000 variable PORT"},
		{[]listen.Container{{Variables: variables}, {Variables: variables}}, "PORT 3000 (unsure): 3000 variable PORT; none"},
		{[]listen.Container{{Variables: variables, Role: listen.Init}, {Variables: variables}}, "PORT 3000 (unsure): 3000 variable PORT; PORT 3000 (unsure): 3000 variable PORT"},
	} {
		var got []string
		for _, ports := range listen.Decide(test.containers, nil) {
			got = append(got, describe(ports))
		}
		if text := strings.Join(got, "; "); text != test.want {
			t.Errorf("%s, want %s", text, test.want)
		}
	}
}

func describe(ports listen.Ports) string {
	if len(ports.All) == 0 {
		return "none"
	}
	text := fmt.Sprintf("PORT %d", ports.PORT)
	if ports.Presumed {
		text += " (presumed)"
	}
	if ports.Unsure {
		text += " (unsure)"
	}
	var all []string
	for _, port := range ports.All {
		by := port.ToldBy
		if port.IsFixed() {
			by = "fixed"
		}
		all = append(all, fmt.Sprintf("%d %s", port.Number, by))
	}
	return text + ": " + strings.Join(all, ", ")
}
