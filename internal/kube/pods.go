package kube

import corev1 "k8s.io/api/core/v1"

// IsReady reports whether a Service leads to the pod.
func IsReady(pod corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return pod.DeletionTimestamp == nil && condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
