//go:build unix

package supervisor

import "testing"

// What a container says itself is its own, even if a Service has a name like it.
func TestServiceLinks(t *testing.T) {
	all := map[string]string{
		"WEB_SERVICE_HOST": "10.0.0.1", "WEB_SERVICE_PORT": "80", "WEB_SERVICE_PORT_HTTP": "80",
		"WEB_PORT": "tcp://10.0.0.1:80", "WEB_PORT_80_TCP": "tcp://10.0.0.1:80", "WEB_PORT_80_TCP_ADDR": "10.0.0.1",
		"MY_API_SERVICE_HOST": "10.0.0.2", "MY_API_PORT": "8080",
		"WEB_SERVICE_PORT_SERVICE_HOST": "10.0.0.3", "WEB_SERVICE_PORT_SERVICE_PORT": "80",
		"WEB_PORT_HTTP": "8080", "ADMIN_PORT": "tcp://0.0.0.0:7000", "PORT": "8080",
	}
	links := map[string]bool{
		"WEB_SERVICE_PORT_SERVICE_HOST": true, "WEB_SERVICE_PORT_SERVICE_PORT": true,
		"WEB_SERVICE_HOST": true, "WEB_SERVICE_PORT": true, "WEB_SERVICE_PORT_HTTP": true,
		"WEB_PORT": true, "WEB_PORT_80_TCP": true, "WEB_PORT_80_TCP_ADDR": true, "MY_API_SERVICE_HOST": true,
	}
	for name := range all {
		if got := isServiceLink(name, all); got != links[name] {
			t.Errorf("%s is a Service's: %t", name, got)
		}
	}
}
