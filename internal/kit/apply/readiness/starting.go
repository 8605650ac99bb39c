package readiness

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kube"
)

// hasJustStarted says whether pods may be ready only because nobody asks them, and have
// been so for a moment: those that this run has brought, and those that were started
// again.
func (j *judgement) hasJustStarted(live kube.Object) bool {
	if !isUnprobed(live) {
		return false
	}
	if !j.view.seesPods(live.GetNamespace()) {
		return true
	}
	return slices.ContainsFunc(j.currentPods(live), func(pod *corev1.Pod) bool {
		restarts := int32(0)
		for _, status := range pod.Status.ContainerStatuses {
			restarts += status.RestartCount
		}
		if pod.Status.Phase == corev1.PodSucceeded || restarts == 0 && j.isOld(live, pod.CreationTimestamp) {
			return false
		}
		return j.memory.since("ready", string(pod.UID), strconv.Itoa(int(restarts))) < holds
	})
}

// isUnprobed says whether an object runs programs that count as ready once they are
// started.
func isUnprobed(o kube.Object) bool {
	path := templateOf(o)
	return path != nil && slices.ContainsFunc(kube.Maps(o, append(path, "containers")...), func(container map[string]any) bool {
		return container["readinessProbe"] == nil
	})
}

// templateOf returns where an object that runs programs until somebody ends them says
// what its pods are, or nil.
func templateOf(o kube.Object) []string {
	switch kube.Kind(o) {
	case podKind:
		return []string{"spec"}
	case deploymentKind, statefulSetKind, daemonSetKind:
		return []string{"spec", "template", "spec"}
	}
	return nil
}
