package pod_test

import (
	"strconv"
	"strings"
	"testing"
)

func TestPORT(t *testing.T) {
	for _, test := range []struct {
		fields string
		ports  map[int32]int
	}{
		{"", map[int32]int{8080: 20001}},
		{"ports: [{containerPort: 9000}]", map[int32]int{9000: 20001}},
		{"ports: [{containerPort: 9000}, {name: http, containerPort: 9001}]", map[int32]int{9000: 9000, 9001: 20001}},
		{"ports: [{containerPort: 9000}, {name: http, containerPort: 9001}]\nenv: [{name: PORT, value: '9000'}]", map[int32]int{9000: 20001, 9001: 9001}},
		{"env: [{name: PORT, value: '9000'}]", map[int32]int{9000: 20001}},
		{"ports: [{containerPort: 53, protocol: UDP}]\nreadinessProbe: {httpGet: {port: 9002}}", map[int32]int{9002: 20001}},
	} {
		c := app(t, newSite(t), test.fields)
		wantPorts(t, c, test.ports)
		wantVariables(t, c, map[string]string{"PORT": "20001"})
	}
}

func TestPORTIsNotTakenFromTheEnvFile(t *testing.T) {
	given := map[string]string{"PORT": "7", "OTHER": "8"}
	wantVariables(t, appGiven(t, newSite(t), given, ""), map[string]string{"PORT": "20001", "OTHER": "8"})
}

func TestListeningAddresses(t *testing.T) {
	const ports = "ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]\n"
	for _, test := range []struct{ name, value, want string }{
		{"METRICS_PORT", "9090", "20002"},
		{"METRICS_ADDR", ":9090", "127.0.0.1:20002"},
		{"X", "0.0.0.0:9090", "127.0.0.1:20002"},
		{"X", "[::]:9090", "127.0.0.1:20002"},
		{"X", "localhost:9090", "127.0.0.1:20002"},
		{"X", "tcp://127.0.0.1:9090", "tcp://127.0.0.1:20002"},
		{"X", "http://localhost:9090/metrics", "http://127.0.0.1:20002/metrics"},
		{"X", "listen=:9090;public=:8080", "listen=127.0.0.1:20002;public=127.0.0.1:20001"},
	} {
		c := app(t, newSite(t), ports+"env: [{name: "+test.name+", value: '"+test.value+"'}]\nargs: ['--"+strings.ToLower(test.name)+"="+test.value+"']")
		wantVariables(t, c, map[string]string{test.name: test.want, "PORT": "20001"})
		if want := "--" + strings.ToLower(test.name) + "=" + test.want; c.Args[0] != want {
			t.Errorf("argument %s, want %s", c.Args[0], want)
		}
	}
	for _, value := range []string{":9091", "9090", "localhost", "12:30:9090x", "::9090", "localhost:90900"} {
		wantVariables(t, app(t, newSite(t), ports+"env: [{name: X, value: '"+value+"'}]"), map[string]string{"X": value})
	}
}

func TestPORTKeepsItsForm(t *testing.T) {
	for _, test := range []struct{ env, want string }{
		{"env: [{name: PORT, value: '9000'}]", "20001"},
		{"env: [{name: PORT, value: ':9000'}]", "127.0.0.1:20001"},
		{"env: [{name: PORT, value: 'tcp://0.0.0.0:9000'}]", "tcp://127.0.0.1:20001"},
		{"env: [{name: PORT, value: 'auto'}]", "20001"},
		{"env: [{name: PORT, value: ''}]", "20001"},
		{"env: [{name: PORT, value: '9000'}, {name: HOST, value: elsewhere}]", "20001"},
		{"env: [{name: PORT, valueFrom: {configMapKeyRef: {name: config, key: LEVEL}}}]", "20001"},
	} {
		wantVariables(t, app(t, newSite(t), test.env, data), map[string]string{"PORT": test.want})
	}
}

// A port that any setting names is led, whatever its name and form.
func TestPortsThatAreTold(t *testing.T) {
	const ports = "ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 19797}]\n"
	for fields, want := range map[string]string{
		"args: ['--port-metrics=19797']":                          "--port-metrics=20002",
		"args: ['--metrics.port', '19797']":                       "--metrics.port 20002",
		"args: ['-p', '19797']":                                   "-p 20002",
		"args: ['-p19797']":                                       "-p20002",
		"args: ['--bind', '0.0.0.0:19797']":                       "--bind 127.0.0.1:20002",
		"args: ['--addr=tcp://:19797']":                           "--addr=tcp://127.0.0.1:20002",
		"args: ['--listen=*:19797']":                              "--listen=127.0.0.1:20002",
		"args: [serve, '19797']":                                  "serve 20002",
		"args: ['--config={\"port\":19797,\"web\":\":8080\"}']":   `--config={"port":20002,"web":"127.0.0.1:20001"}`,
		"args: ['--port=$(M)']\nenv: [{name: M, value: '19797'}]": "--port=20002",
	} {
		c := app(t, newSite(t), ports+fields)
		wantPorts(t, c, map[int32]int{8080: 20001, 19797: 20002})
		if got := strings.Join(c.Args, " "); got != want {
			t.Errorf("arguments %s, want %s", got, want)
		}
	}
	for _, fields := range []string{
		"args: ['--export=19797']", "args: ['--count', '19797']", "args: ['--port=19798']",
		"env: [{name: DB_HOST, value: db}, {name: DB_PORT_RW, value: '19797'}]", "env: [{name: SUPPORT_ID, value: '19797'}]",
	} {
		p := newPod(t, read(t, deployment("app", ports+fields)), "app", newSite(t))
		wantPorts(t, p.Containers[0], map[int32]int{8080: 20001, 19797: 19797})
		if !p.Fixed {
			t.Errorf("%s: the pod has no fixed port", fields)
		}
	}
}

// The readiness of one container may be that of another's port.
func TestAProbeOfAnotherContainersPort(t *testing.T) {
	plan := read(t, strings.TrimSuffix(deployment("app", "ports: [{containerPort: 8080}]"), "---\n")+
		"      - {name: proxy, image: 'ko://example.com/proxy', readinessProbe: {httpGet: {port: 8080}}, ports: [{containerPort: 9000}]}\n---\n")
	p := newPod(t, plan, "app", newSite(t))
	main, proxy := p.Containers[0], p.Containers[1]
	if got := proxy.Readiness.HTTPGet.Port; got != main.Ports[8080] || len(proxy.Ports) != 1 {
		t.Errorf("the probe asks port %d, want %d; ports %v", got, main.Ports[8080], proxy.Ports)
	}
}

// A container that shares PORT with another, and does not declare it, has a port
// of its own that no request waits for.
func TestASharedPORT(t *testing.T) {
	plan := read(t, strings.TrimSuffix(deployment("app", "ports: [{containerPort: 3000}]\nenvFrom: [{configMapRef: {name: common}}]"), "---\n")+
		"      - {name: worker, image: 'ko://example.com/worker', envFrom: [{configMapRef: {name: common}}]}\n---\n"+
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common, namespace: api}\ndata: {PORT: '3000'}\n")
	p := newPod(t, plan, "app", newSite(t))
	main, worker := p.Containers[0], p.Containers[1]
	port, _ := variable(worker, "PORT")
	if main.Listen != main.Ports[3000] || worker.Listen != 0 || len(worker.Ports) != 0 || port == strconv.Itoa(main.Listen) {
		t.Errorf("main listens on %d of %v, worker on %d of %v, with PORT=%s", main.Listen, main.Ports, worker.Listen, worker.Ports, port)
	}
}
