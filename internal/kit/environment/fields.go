package environment

import (
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Field returns a field of the pod, as the downward API has them.
func (s *Source) Field(path string) (string, error) {
	if name, key, found := strings.Cut(strings.TrimSuffix(path, "']"), "['"); found {
		switch name {
		case "metadata.labels":
			return s.Pod.Labels[key], nil
		case "metadata.annotations":
			return s.Pod.Annotations[key], nil
		}
	}
	switch path {
	case "metadata.name":
		return s.Pod.Name, nil
	case "metadata.namespace":
		return s.Pod.Namespace, nil
	case "metadata.uid":
		return string(s.Pod.UID), nil
	case "metadata.labels":
		return fieldLines(s.Pod.Labels), nil
	case "metadata.annotations":
		return fieldLines(s.Pod.Annotations), nil
	case "spec.nodeName":
		return os.Hostname()
	case "spec.serviceAccountName":
		if account := s.Spec.ServiceAccountName; account != "" {
			return account, nil
		}
		return "default", nil
	case "status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs":
		return "127.0.0.1", nil
	}
	return "", fmt.Errorf("a pod has no field %s that a program can ask for", path)
}

// fieldLines writes labels as the files of the downward API have them.
func fieldLines(labels map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		lines = append(lines, name+"="+strconv.Quote(labels[name]))
	}
	return strings.Join(lines, "\n")
}

// Resource returns a limit or request of container c, or of the one that ref
// names, in units of the divisor, rounded up. As on a node, what is not limited
// is as much as the machine has.
func (s *Source) Resource(c corev1.Container, ref *corev1.ResourceFieldSelector) (string, error) {
	resources := c.Resources
	if ref.ContainerName != "" && ref.ContainerName != c.Name {
		all := slices.Concat(s.Spec.InitContainers, s.Spec.Containers)
		i := slices.IndexFunc(all, func(c corev1.Container) bool { return c.Name == ref.ContainerName })
		if i < 0 {
			return "", fmt.Errorf("%s of container %s: no such container is run", ref.Resource, ref.ContainerName)
		}
		resources = all[i].Resources
	}
	of, name, _ := strings.Cut(ref.Resource, ".")
	amount, err := amount(resources, of, corev1.ResourceName(name))
	if err != nil {
		return "", fmt.Errorf("%s: %w", ref.Resource, err)
	}
	return units(amount, ref.Divisor, name == string(corev1.ResourceCPU)), nil
}

// units divides as a kubelet does: CPUs by the thousandth.
func units(amount, divisor resource.Quantity, milli bool) string {
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	value := (*resource.Quantity).Value
	if milli {
		value = (*resource.Quantity).MilliValue
	}
	return strconv.FormatInt(int64(math.Ceil(float64(value(&amount))/float64(value(&divisor)))), 10)
}

func amount(resources corev1.ResourceRequirements, of string, name corev1.ResourceName) (resource.Quantity, error) {
	limit, isLimited := resources.Limits[name]
	request, isRequested := resources.Requests[name]
	switch {
	case of == "requests" && isRequested:
		return request, nil
	case isLimited:
		return limit, nil
	case of == "requests":
		return resource.Quantity{}, nil
	case name == corev1.ResourceCPU:
		return *resource.NewQuantity(int64(runtime.NumCPU()), resource.DecimalSI), nil
	case name == corev1.ResourceMemory:
		bytes, err := memory()
		return *resource.NewQuantity(bytes, resource.BinarySI), err
	}
	return resource.Quantity{}, fmt.Errorf("the container does not limit it, and ko up does not know how much this machine has: set it")
}
