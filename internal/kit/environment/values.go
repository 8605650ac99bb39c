package environment

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// valueFrom returns the value that a variable takes from elsewhere; it reports
// false if that is missing and may be.
func (s *Source) valueFrom(c corev1.Container, variable string, from *corev1.EnvVarSource) (string, bool, error) {
	switch {
	case from.FieldRef != nil:
		value, err := s.Field(from.FieldRef.FieldPath)
		return value, err == nil, wrap(err, "variable "+variable)
	case from.ResourceFieldRef != nil:
		value, err := s.Resource(c, from.ResourceFieldRef)
		return value, err == nil, wrap(err, "variable "+variable)
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		data := s.ConfigMap(ref.Name)
		return s.keyed(variable, "ConfigMap "+ref.Name, data, ref.Key, isTrue(ref.Optional))
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		data := s.Secret(ref.Name)
		return s.keyed(variable, "Secret "+ref.Name, data, ref.Key, isTrue(ref.Optional))
	}
	return "", false, fmt.Errorf("variable %s takes its value from a source that ko up does not know: pass it with --env-file", variable)
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// keyed returns the value at key, for which our own environment stands in if
// the manifests do not have it.
func (s *Source) keyed(variable, object string, data map[string][]byte, key string, optional bool) (string, bool, error) {
	if value, found := data[key]; found {
		return string(value), true, nil
	}
	if optional {
		return "", false, nil
	}
	if value, found := os.LookupEnv(variable); found {
		return value, true, nil
	}
	if s.Lenient {
		return "", false, nil
	}
	missing := "which is not in the kustomization"
	if data != nil {
		missing = "which " + object + " does not have"
	}
	return "", false, fmt.Errorf("%s is in %s, key %s, %s: set %s in the environment of ko up, or pass --env-file", variable, object, key, missing, variable)
}
