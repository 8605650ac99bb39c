package environment

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

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
