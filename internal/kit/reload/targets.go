package reload

import (
	"context"
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// supervisor is the name of the program that takes executables.
const supervisor = "live-reload"

// Target is a container that takes executables.
type Target struct {
	Pod, Container string
	// HostNetwork means that its ports are the node's.
	HostNetwork bool
	path        string // of the supervisor, in the directory that keeps what is sent
}

// String names the container as kubectl logs does: pod/container.
func (t Target) String() string { return t.Pod + "/" + t.Container }

// NoTargetsError says why no container takes executables.
type NoTargetsError struct {
	Selector, Namespace string
	Pods                int      // that the selector matches
	Waiting             []string // containers with a supervisor that do not run, and why
}

func (e *NoTargetsError) Error() string {
	where := fmt.Sprintf("with %s in namespace %s", e.Selector, e.Namespace)
	switch {
	case e.Pods == 0:
		return fmt.Sprintf("there are no pods %s: check --selector and --namespace", where)
	case len(e.Waiting) > 0:
		return fmt.Sprintf("no container %s runs yet: %s", where, strings.Join(e.Waiting, ", "))
	}
	return fmt.Sprintf("none of the %d pods %s has a container under %s: deploy them with the component kustomize/components/live-reload",
		e.Pods, where, supervisor)
}

// Targets returns the running containers with a supervisor of the pods that a
// label selector matches. If there are none, the error is a [*NoTargetsError].
func Targets(ctx context.Context, c *kube.Cluster, selector string) ([]Target, error) {
	var pods corev1.PodList
	chosen := &client.ListOptions{Namespace: c.Namespace, Raw: &metav1.ListOptions{LabelSelector: selector}}
	if err := c.List(ctx, &pods, chosen); err != nil {
		return nil, fmt.Errorf("asking %s for the pods with %s in namespace %s: %w", c.Host(), selector, c.Namespace, err)
	}
	none := &NoTargetsError{Selector: selector, Namespace: c.Namespace}
	var targets []Target
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil {
			continue
		}
		none.Pods++
		for _, container := range pod.Spec.Containers {
			if len(container.Command) == 0 || path.Base(container.Command[0]) != supervisor {
				continue
			}
			target := Target{Pod: pod.Name, Container: container.Name, HostNetwork: pod.Spec.HostNetwork, path: container.Command[0]}
			if why := whyNotRunning(pod, container.Name); why != "" {
				none.Waiting = append(none.Waiting, fmt.Sprintf("%s: %s", target, why))
				continue
			}
			targets = append(targets, target)
		}
	}
	if len(targets) == 0 {
		return nil, none
	}
	return targets, nil
}

// whyNotRunning is "" if the container runs.
func whyNotRunning(pod corev1.Pod, container string) string {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == container && status.State.Running != nil {
			return ""
		}
	}
	for _, trouble := range kube.Troubles(&pod) {
		if trouble.Container == container || trouble.Container == "" {
			return trouble.Text
		}
	}
	return "the pod is " + string(pod.Status.Phase)
}
