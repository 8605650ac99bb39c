package kustomize_test

import (
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestServicesAreScraped covers what Prometheus is told of a pod: the port is one of its
// container's, the program listens on it, and no Service leads there.
func TestServicesAreScraped(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		scraped := 0
		for _, w := range workloads(t, objects) {
			if w.pod.Annotations["prometheus.io/scrape"] != "true" {
				continue
			}
			scraped++
			c, port := w.pod.Spec.Containers[0], w.pod.Annotations["prometheus.io/port"]
			if !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
				return p.Name == "metrics" && strconv.Itoa(int(p.ContainerPort)) == port
			}) {
				t.Errorf("%s has the ports %v, and not %s", w.name, c.Ports, port)
			}
			if !slices.Contains(c.Env, corev1.EnvVar{Name: "METRICS_PORT", Value: port}) {
				t.Errorf("%s is not told to have metrics on port %s", w.name, port)
			}
		}
		if scraped != 5 {
			t.Errorf("%d services are scraped", scraped)
		}
		for _, service := range only[*corev1.Service](objects) {
			if slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.TargetPort.StrVal == "metrics" }) {
				t.Errorf("Service %s leads to metrics", service.Name)
			}
		}
	})
}
