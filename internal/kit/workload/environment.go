package workload

import (
	"fmt"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// seat is a container in its pod.
type seat struct {
	plan      *Plan
	workload  *Workload
	container corev1.Container
	pod       metav1.ObjectMeta
	// given are variables that go before those of the manifests, but for PORT.
	given map[string]string
	// links are the variables that Kubernetes makes of Services.
	links map[string]string
	// lenient leaves out what is missing instead of failing.
	lenient bool
}

// values returns the container's variables as the manifests have them: with
// references to other variables, but not yet with what they are here.
func (s *seat) values() (map[string]string, error) {
	values, err := s.valuesFrom()
	if err != nil {
		return nil, err
	}
	known := s.known(values)
	for _, v := range s.container.Env {
		if _, isGiven := s.given[v.Name]; isGiven && v.Name != "PORT" {
			values[v.Name] = s.given[v.Name]
			continue
		}
		value, found, err := expand(v.Value, known), true, error(nil)
		if v.Value == "" && v.ValueFrom != nil {
			value, found, err = s.valueFrom(v.Name, v.ValueFrom)
		}
		if err != nil && !s.lenient {
			return nil, fmt.Errorf("%s: %w", s.workload, err)
		}
		if found {
			values[v.Name] = value
		}
	}
	for name, value := range s.given {
		if name != "PORT" {
			values[name] = value
		}
	}
	return values, nil
}

// known returns what $(NAME) may refer to.
func (s *seat) known(values map[string]string) func(name string) (string, bool) {
	return func(name string) (string, bool) {
		if value, found := values[name]; found {
			return value, true
		}
		value, found := s.links[name]
		return value, found
	}
}

// valuesFrom returns the variables of whole ConfigMaps and Secrets.
func (s *seat) valuesFrom() (map[string]string, error) {
	values := map[string]string{}
	for _, from := range s.container.EnvFrom {
		ref, err := s.source(from)
		if err != nil {
			return nil, err
		}
		for name, data := range ref {
			values[from.Prefix+name] = string(data)
		}
	}
	return values, nil
}

// source returns the data that an envFrom takes; what is missing is expected
// among the given variables if there are any.
func (s *seat) source(from corev1.EnvFromSource) (map[string][]byte, error) {
	var what string
	var data map[string][]byte
	var optional *bool
	switch {
	case from.ConfigMapRef != nil:
		what, optional = "ConfigMap "+from.ConfigMapRef.Name, from.ConfigMapRef.Optional
		data = s.plan.configMap(s.workload.Namespace, from.ConfigMapRef.Name)
	case from.SecretRef != nil:
		what, optional = "Secret "+from.SecretRef.Name, from.SecretRef.Optional
		data = s.plan.secret(s.workload.Namespace, from.SecretRef.Name)
	}
	if data == nil && !isTrue(optional) && !s.lenient && len(s.given) == 0 {
		return nil, fmt.Errorf("%s: container %s takes its environment from %s, which is not in the kustomization: pass the variables with --env-file",
			s.workload, s.container.Name, what)
	}
	return data, nil
}

// serviceLinks returns the variables by which Kubernetes names the Services of
// a namespace; those in the style of Docker are left out.
func (p *Plan) serviceLinks(w *Workload, services names) map[string]string {
	links := map[string]string{}
	if enabled := w.Template.Spec.EnableServiceLinks; enabled != nil && !*enabled {
		return links
	}
	for _, s := range p.Services {
		if s.Namespace != w.Namespace || s.headless {
			continue
		}
		prefix := strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_")) + "_SERVICE_"
		for i, port := range s.Ports {
			address, _ := services.find(s.Name)("", port.Port)
			host, number, err := net.SplitHostPort(address)
			if err != nil {
				continue
			}
			if i == 0 {
				links[prefix+"HOST"], links[prefix+"PORT"] = host, number
			}
			if port.Name != "" {
				links[prefix+"PORT_"+strings.ToUpper(strings.ReplaceAll(port.Name, "-", "_"))] = number
			}
		}
	}
	return links
}

// inherited are the variables of ours that every process gets. No others, so
// that a variable in somebody's shell does not change what a program does.
var inherited = map[bool][]string{
	false: {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"},
	true: {"PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERNAME", "USERPROFILE",
		"APPDATA", "LOCALAPPDATA", "SSL_CERT_FILE", "SSL_CERT_DIR"}, // Windows
}

func inheritedVariables() map[string]string {
	values := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "LC_") || slices.Contains(inherited[runtime.GOOS == "windows"], name) {
			values[name] = value
		}
	}
	return values
}

// entries writes variables as os/exec takes them, sorted; later ones win.
func entries(layers ...map[string]string) []string {
	all := map[string]string{}
	for _, layer := range layers {
		maps.Copy(all, layer)
	}
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}

func isTrue(b *bool) bool { return b != nil && *b }
