// Package environment says which variables a container gets: those of the
// manifests, with what they take from ConfigMaps, Secrets and fields of the pod.
package environment

import (
	"fmt"

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

// Variables returns the variables of a container as the manifests have them:
// with references to other variables expanded, and with a cluster's addresses
// and paths. It fails if an object or field that one is taken from is missing.
func (s *Source) Variables(c corev1.Container) (map[string]string, error) {
	values, err := s.valuesFrom(c)
	if err != nil {
		return nil, err
	}
	known := s.Known(values)
	for _, v := range c.Env {
		if _, isGiven := s.Given[v.Name]; isGiven && v.Name != "PORT" {
			values[v.Name] = s.Given[v.Name]
			continue
		}
		value, found, err := Expand(v.Value, known), true, error(nil)
		if v.Value == "" && v.ValueFrom != nil {
			value, found, err = s.valueFrom(c, v.Name, v.ValueFrom)
		}
		if err != nil && !s.Lenient {
			return nil, fmt.Errorf("%s: %w", s.Workload, err)
		}
		if found {
			values[v.Name] = value
		}
	}
	for name, value := range s.Given {
		if name != "PORT" {
			values[name] = value
		}
	}
	return values, nil
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

// valuesFrom returns the variables of whole ConfigMaps and Secrets.
func (s *Source) valuesFrom(c corev1.Container) (map[string]string, error) {
	values := map[string]string{}
	for _, from := range c.EnvFrom {
		ref, err := s.object(c, from)
		if err != nil {
			return nil, err
		}
		for name, data := range ref {
			values[from.Prefix+name] = string(data)
		}
	}
	return values, nil
}

// object returns the data that an envFrom takes; what is missing is expected
// among the given variables if there are any.
func (s *Source) object(c corev1.Container, from corev1.EnvFromSource) (map[string][]byte, error) {
	var what string
	var data map[string][]byte
	var optional *bool
	switch {
	case from.ConfigMapRef != nil:
		what, optional = "ConfigMap "+from.ConfigMapRef.Name, from.ConfigMapRef.Optional
		data = s.ConfigMap(from.ConfigMapRef.Name)
	case from.SecretRef != nil:
		what, optional = "Secret "+from.SecretRef.Name, from.SecretRef.Optional
		data = s.Secret(from.SecretRef.Name)
	}
	if data == nil && !isTrue(optional) && !s.Lenient && len(s.Given) == 0 {
		return nil, fmt.Errorf("%s: container %s takes its environment from %s, which is not in the kustomization: pass the variables with --env-file",
			s.Workload, c.Name, what)
	}
	return data, nil
}

func isTrue(b *bool) bool { return b != nil && *b }
