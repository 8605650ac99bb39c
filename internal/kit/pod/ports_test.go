package pod_test

import (
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
	site := newSite(t)
	site.Env = map[string]string{"PORT": "7", "OTHER": "8"}
	wantVariables(t, app(t, site, ""), map[string]string{"PORT": "20001", "OTHER": "8"})
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
