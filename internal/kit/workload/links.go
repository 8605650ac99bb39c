package workload

import (
	"net"
	"strings"
)

// Links returns the variables by which Kubernetes names the Services of w's
// namespace; those in the style of Docker are left out.
func (n Names) Links(w *Workload) map[string]string {
	links := map[string]string{}
	if enabled := w.Template.Spec.EnableServiceLinks; enabled != nil && !*enabled {
		return links
	}
	for _, s := range n.Plan.Services {
		if s.Namespace != w.Namespace || s.headless {
			continue
		}
		prefix := strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_")) + "_SERVICE_"
		for i, port := range s.Ports {
			address, _ := n.Find(s.Name)("", port.Port)
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
