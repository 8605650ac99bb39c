package kube

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// IsReady reports whether a Service leads to the pod.
func IsReady(pod corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return pod.DeletionTimestamp == nil && condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Troubles says why containers of a pod do not run, or why the pod does not.
func Troubles(pod *corev1.Pod) []string {
	var troubles []string
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			troubles = append(troubles, condition.Reason+": "+condition.Message)
		}
	}
	for _, container := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		switch state := container.State; {
		case state.Waiting != nil && state.Waiting.Reason != "PodInitializing":
			troubles = append(troubles, fmt.Sprintf("container %s: %s%s%s", container.Name, state.Waiting.Reason, message(state.Waiting.Message), lastEnd(container)))
		case state.Waiting != nil:
		case state.Terminated != nil && !container.Ready:
			troubles = append(troubles, fmt.Sprintf("container %s: ended with exit code %d", container.Name, state.Terminated.ExitCode))
		case state.Running != nil && !container.Ready:
			troubles = append(troubles, fmt.Sprintf("container %s: running, not ready", container.Name))
		}
	}
	return troubles
}

func message(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// lastEnd says how a container that is started again and again ended.
func lastEnd(container corev1.ContainerStatus) string {
	ended := container.LastTerminationState.Terminated
	if ended == nil {
		return ""
	}
	hint := ""
	if ended.ExitCode == 0 {
		hint = "; its command has to keep running"
	}
	return fmt.Sprintf(" (it ended with exit code %d%s)", ended.ExitCode, hint)
}
