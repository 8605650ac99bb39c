// Package environment says which variables a container gets: those of the
// manifests, with what they take from ConfigMaps, Secrets and fields of the pod.
package environment

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Source is where the variables of a pod's containers come from.
type Source struct {
	Workload string            // what errors call it: deployment.apps/user-svc
	Pod      metav1.ObjectMeta // of one replica
	Spec     corev1.PodSpec
	// ConfigMap and Secret return the data of an object by name, nil if the
	// manifests have none of that name.
	ConfigMap, Secret func(name string) map[string][]byte
	// Given are variables that go before those of the manifests, but for PORT.
	Given map[string]string
	// Links are the variables that Kubernetes makes of Services.
	Links map[string]string
	// Lenient leaves out what is missing instead of failing.
	Lenient bool
}

// Known returns what $(NAME) may refer to, beside values.
func (s *Source) Known(values map[string]string) func(name string) (string, bool) {
	return func(name string) (string, bool) {
		if value, found := values[name]; found {
			return value, true
		}
		value, found := s.Links[name]
		return value, found
	}
}

func isTrue(b *bool) bool { return b != nil && *b }
