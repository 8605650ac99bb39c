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
	switch {
	case !j.view.seesPods(live.GetNamespace()):
		return true
	case j.view.hidesPods(live) != nil:
		return j.changed(live) && j.memory.since("ready", string(live.GetUID())) < holds
	}
	return slices.ContainsFunc(j.currentPods(live), func(pod *corev1.Pod) bool {
		restarts := int32(0)
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
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
	if path == nil {
		return false
	}
	unprobed := func(container map[string]any) bool {
		return container["readinessProbe"] == nil && container["startupProbe"] == nil
	}
	sidecar := func(container map[string]any) bool {
		return container["restartPolicy"] == string(corev1.ContainerRestartPolicyAlways) && unprobed(container)
	}
	return slices.ContainsFunc(kube.Maps(o, append(slices.Clone(path), "containers")...), unprobed) ||
		slices.ContainsFunc(kube.Maps(o, append(slices.Clone(path), "initContainers")...), sidecar)
}

// templateOf returns where an object that runs programs until somebody ends them says
// what its pods are, or nil.
func templateOf(o kube.Object) []string {
	switch kube.Kind(o) {
	case podKind:
		return []string{"spec"}
	case deploymentKind, kube.StatefulSetKind, daemonSetKind, replicaSetKind, controllerKind:
		return []string{"spec", "template", "spec"}
	}
	return nil
}
