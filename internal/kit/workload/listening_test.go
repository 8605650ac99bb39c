package workload_test

import (
	"strings"
	"testing"
)

const settings = `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: api}
data: {PORT: "3000", ORT: "3000", http: "3000", BASE: "300"}
---
apiVersion: v1
kind: Secret
metadata: {name: settings, namespace: api}
stringData: {PORT: "3000"}
---
`

// However the manifests state PORT, the workload has a URL, and its Service is
// the front door.
func TestPORTIsThatOfTheResolvedEnvironment(t *testing.T) {
	t.Setenv("PORT", "4000")
	for _, container := range []string{
		"env: [{name: PORT, value: '3000'}]",
		"env: [{name: PORT, value: ':3000'}]",
		"env: [{name: PORT, value: '0.0.0.0:3000'}]",
		"env: [{name: PORT, valueFrom: {configMapKeyRef: {name: settings, key: http}}}]",
		"env: [{name: PORT, valueFrom: {secretKeyRef: {name: settings, key: PORT}}}]",
		"envFrom: [{configMapRef: {name: settings}}]",
		"envFrom: [{secretRef: {name: settings}}]",
		"envFrom: [{configMapRef: {name: settings}, prefix: P}]",
		"env: [{name: HTTP, value: '3000'}, {name: PORT, value: $(HTTP)}]",
		"env: [{name: BASE, valueFrom: {configMapKeyRef: {name: settings, key: BASE}}}, {name: PORT, value: $(BASE)0}]",
		"env: [{name: PORT, value: $(PUBLIC_SERVICE_PORT)}]",
		"envFrom: [{configMapRef: {name: settings}}]\nports: [{containerPort: 9090}]",
		"env: [{name: PORT, valueFrom: {configMapKeyRef: {name: settings, key: http}}}]\nports: [{name: http, containerPort: 9090}, {containerPort: 3000}]",
	} {
		rest := settings + deployment("public", "args: ['x']") + service("public", "[{name: tcp, port: 3000}]")
		w := deployment("web", container)

		plan := read(t, w+rest)
		implicit := plan.Front()
		if implicit == nil || implicit.Name != "web" || implicit.Ports[0].Port != 3000 {
			t.Errorf("%s: without a Service: front %v, want web at port 3000", container, implicit)
		}
		plan = read(t, w+service("web", "[{port: 9090}, {name: x, port: 4000, targetPort: 3000}]")+rest)
		front := plan.Front()
		if front == nil || front.Name != "web" || front.Ports[0].HTTP || !front.Ports[1].Presumed {
			t.Errorf("%s: with a Service: front %v, want web by port 4000", container, front)
		}
	}
}

func TestPORTInAContainerThatIsNotTheFirst(t *testing.T) {
	plan := read(t, strings.TrimSuffix(deployment("web", "args: [x]"), "---\n")+
		"      - {name: web, image: 'ko://example.com/cmd/web', env: [{name: PORT, value: '3000'}]}\n---\n")
	if front := plan.Front(); front == nil || front.Ports[0].Port != 3000 {
		t.Errorf("front %v, want one at port 3000", front)
	}
}

func TestFingerprintChangesWithPORT(t *testing.T) {
	manifests := deployment("app", "env: [{name: PORT, valueFrom: {configMapKeyRef: {name: settings, key: http}}}]") + service("app", "[{port: 80, targetPort: 3000}]") +
		deployment("caller", "args: ['http://app']") + settings
	before := read(t, manifests)
	for what, test := range map[string]struct {
		old, new    string
		app, caller bool
	}{
		"PORT in the ConfigMap":      {`http: "3000"`, `http: "3001"`, true, false},
		"the port of the Service":    {"port: 80,", "port: 81,", false, true},
		"the target of the Service":  {"targetPort: 3000", "targetPort: 3001", true, false},
		"nothing":                    {"", "", false, false},
		"a probe of app":             {"env: [{name: PORT", "readinessProbe: {tcpSocket: {port: 3000}}\n        env: [{name: PORT", true, false},
		"the number of app's pods":   {"metadata: {name: app, namespace: api}\nspec:\n", "metadata: {name: app, namespace: api}\nspec:\n  replicas: 2\n", false, false},
		"a fixed port of the caller": {"args: ['http://app']", "args: ['http://app']\n        ports: [{containerPort: 1}, {containerPort: 2}]", false, true},
	} {
		after := read(t, strings.Replace(manifests, test.old, test.new, 1))
		for name, want := range map[string]bool{"app": test.app, "caller": test.caller} {
			if got := find(t, before, name).Fingerprint() != find(t, after, name).Fingerprint(); got != want {
				t.Errorf("%s: fingerprint of %s changes: %t, want %t", what, name, got, want)
			}
		}
	}
}

// A workload without a Service does not take a name that the manifests give to
// something else.
func TestANameOfAnotherServiceIsNotTaken(t *testing.T) {
	outside := "apiVersion: v1\nkind: Service\nmetadata: {name: app, namespace: api}\nspec: {type: ExternalName, externalName: example.com, ports: [{port: 80}]}\n---\n"
	manifests := deployment("app", "ports: [{containerPort: 8080}]")
	if plan := read(t, manifests); len(plan.Services) != 1 {
		t.Errorf("services %v, want one for the workload", plan.Services)
	}
	if plan := read(t, manifests+outside); len(plan.Services) != 0 {
		t.Errorf("services %v, want none: the name leads elsewhere", plan.Services)
	}
}
