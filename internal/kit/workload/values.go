package workload

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// valueFrom returns the value that a variable takes from elsewhere; it reports
// false if that is missing and may be.
func (s *seat) valueFrom(variable string, from *corev1.EnvVarSource) (string, bool, error) {
	switch {
	case from.FieldRef != nil:
		value, err := s.field(from.FieldRef.FieldPath)
		return value, err == nil, wrap(err, "variable "+variable)
	case from.ResourceFieldRef != nil:
		value, err := s.resource(from.ResourceFieldRef)
		return value, err == nil, wrap(err, "variable "+variable)
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		data := s.plan.configMap(s.workload.Namespace, ref.Name)
		return s.keyed(variable, "ConfigMap "+ref.Name, data, ref.Key, isTrue(ref.Optional))
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		data := s.plan.secret(s.workload.Namespace, ref.Name)
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
func (s *seat) keyed(variable, object string, data map[string][]byte, key string, optional bool) (string, bool, error) {
	if value, found := data[key]; found {
		return string(value), true, nil
	}
	if optional || s.lenient {
		return "", false, nil
	}
	if value, found := os.LookupEnv(variable); found {
		return value, true, nil
	}
	missing := "which is not in the kustomization"
	if data != nil {
		missing = "which " + object + " does not have"
	}
	return "", false, fmt.Errorf("%s is in %s, key %s, %s: set %s in the environment of ko up, or pass --env-file", variable, object, key, missing, variable)
}
