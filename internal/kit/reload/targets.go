package reload

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kube"
)

// target is a container that takes executables.
type target struct {
	pod, container string
	reference      string                 // of its image
	store          string                 // keeps what is sent to it
	hostNetwork    bool                   // whether its ports are the node's
	started        time.Time              // when its pod was made
	record         string                 // begins the names of the ConfigMaps with its newest version; "" if there are none
	owner          *metav1.OwnerReference // of its pod; nil if there is none
	image          wire.Digest            // the executable of its image, once something was sent
	run            run
}

// run is one start of a container: another one begins with what it finds.
type run struct {
	pod       types.UID
	container string // its id in the runtime
}

// String names the container as kubectl logs does: pod/container.
func (t target) String() string { return t.pod + "/" + t.container }

// targets are the containers of the pods that a selector matches.
type targets struct {
	selector, namespace string
	pods                int
	running             []target
	starting            []string // those that will run if nothing happens, and what they wait for
	failing             []string // those that do not run, and why
}

// NoTargetsError says why no container takes executables.
type NoTargetsError struct{ found targets }

func (e *NoTargetsError) Error() string {
	where := fmt.Sprintf("with %s in namespace %s", e.found.selector, e.found.namespace)
	switch {
	case e.found.pods == 0:
		return fmt.Sprintf("there are no pods %s: check --selector and --namespace", where)
	case len(e.found.failing) > 0:
		return fmt.Sprintf("no container %s runs: %s", where, strings.Join(e.found.failing, ", "))
	}
	return fmt.Sprintf("none of the %d pods %s has a container under the supervisor of live reload: deploy them by ko apply -k DIRECTORY --live", e.found.pods, where)
}

// find lists the containers with a supervisor of the pods that a label selector
// matches.
//
// A pod may have containers of other programs.
func find(ctx context.Context, c *kube.Cluster, selector, program string) (targets, error) {
	found := targets{selector: selector, namespace: c.Namespace}
	var pods corev1.PodList
	chosen := &client.ListOptions{Namespace: c.Namespace, Raw: &metav1.ListOptions{LabelSelector: selector}}
	if err := c.List(ctx, &pods, chosen); err != nil {
		return found, fmt.Errorf("asking %s for the pods with %s in namespace %s: %w", c.Host(), selector, c.Namespace, err)
	}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
			continue
		}
		found.pods++
		for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) { // Sidecars are among the first.
			if len(container.Command) > 0 && container.Command[0] == wire.SupervisorPath && runs(container, program) {
				found.add(&pod, container)
			}
		}
	}
	return found, nil
}

// runs reports whether a container with a supervisor may run a program. A reference may
// name it by other words than its import path.
func runs(container corev1.Container, program string) bool {
	told, ok := wire.ReadCommand(container.Command)
	return !ok || told.Program == "" || strings.HasPrefix(told.Program, ".") || told.Program == program
}

func (f *targets) add(pod *corev1.Pod, of corev1.Container) {
	container := of.Name
	t := target{
		pod: pod.Name, container: container, reference: of.Image, store: wire.StoreOf(of.Command), hostNetwork: pod.Spec.HostNetwork, started: pod.CreationTimestamp.Time,
		record: recordOf(pod, container), owner: metav1.GetControllerOf(pod),
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if status.Name == container && status.State.Running != nil {
			t.run = run{pod.UID, status.ContainerID}
			f.running = append(f.running, t)
			return
		}
	}
	for _, trouble := range kube.Troubles(pod) {
		if !trouble.Running {
			f.failing = append(f.failing, fmt.Sprintf("%s: %s", t, trouble.Text))
			return
		}
	}
	f.starting = append(f.starting, fmt.Sprintf("%s: the pod is %s", t, pod.Status.Phase))
}

// isNone reports whether no container takes executables, or will soon.
func (f *targets) isNone() bool { return len(f.running)+len(f.starting) == 0 }
