// Package reload is the developer's side of live reload: it sends executables
// to the pods whose supervisor, package live, runs them.
package reload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/koshop/koshop/internal/kit/kubeconfig"
	"github.com/koshop/koshop/internal/kit/live"
)

// supervisor is the name of the program that takes executables.
const supervisor = "live-reload"

// Cluster is where the pods are.
type Cluster struct {
	config    *rest.Config
	client    kubernetes.Interface
	namespace string
}

// Connect reads the kubeconfig that kubectl would with the same flags. It sends
// nothing to the cluster yet.
func Connect(flags *genericclioptions.ConfigFlags) (*Cluster, error) {
	choice, err := kubeconfig.Read(flags)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(choice.Config)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", choice.Config.Host, err)
	}
	return &Cluster{config: choice.Config, client: client, namespace: choice.Namespace}, nil
}

// Target is a container that takes executables.
type Target struct {
	Pod, Container string
	path           string // of the supervisor, in the directory that keeps what is sent
}

// NoTargetsError says that no running container takes executables.
type NoTargetsError struct {
	Selector, Namespace string
	Pods                int // that the selector matches
}

func (e *NoTargetsError) Error() string {
	return fmt.Sprintf("no container runs under %s in the %d pods with %s in namespace %s: "+
		"deploy them with the component kustomize/components/live-reload", supervisor, e.Pods, e.Selector, e.Namespace)
}

// Targets returns the running containers with a supervisor of the pods that a
// label selector matches. If there are none, the error is a [*NoTargetsError].
func (c *Cluster) Targets(ctx context.Context, selector string) ([]Target, error) {
	pods, err := c.client.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("asking %s for the pods with %s in namespace %s: %w", c.config.Host, selector, c.namespace, err)
	}
	var targets []Target
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil {
			targets = append(targets, targetsIn(pod)...)
		}
	}
	if len(targets) == 0 {
		return nil, &NoTargetsError{Selector: selector, Namespace: c.namespace, Pods: len(pods.Items)}
	}
	return targets, nil
}

// String names the container as kubectl logs does: pod/container.
func (t Target) String() string { return t.Pod + "/" + t.Container }

func targetsIn(pod corev1.Pod) []Target {
	running := map[string]bool{}
	for _, status := range pod.Status.ContainerStatuses {
		running[status.Name] = status.State.Running != nil
	}
	var targets []Target
	for _, container := range pod.Spec.Containers {
		if len(container.Command) > 0 && path.Base(container.Command[0]) == supervisor && running[container.Name] {
			targets = append(targets, Target{Pod: pod.Name, Container: container.Name, path: container.Command[0]})
		}
	}
	return targets
}

// Send sends a parcel to all targets at once, and returns when all of them run
// what is in it. It returns the number of bytes that crossed to the pod that
// took most. An error says of each pod that does not run it why.
func (c *Cluster) Send(ctx context.Context, targets []Target, parcel *live.Parcel) (sent int, err error) {
	problems, sizes := make([]error, len(targets)), make([]int, len(targets))
	var group errgroup.Group
	for i, target := range targets {
		group.Go(func() error {
			var err error
			if sizes[i], err = c.send(ctx, target, parcel); err != nil {
				problems[i] = fmt.Errorf("pod %s, container %s: %w", target.Pod, target.Container, err)
			}
			return nil
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return slices.Max(sizes), errors.Join(problems...)
}

// send talks to the program that receives in the pod, by its stdin and stdout.
func (c *Cluster) send(ctx context.Context, target Target, parcel *live.Parcel) (sent int, err error) {
	executor, err := c.receiver(target)
	if err != nil {
		return 0, err
	}
	stdin, toPod := io.Pipe()
	fromPod, stdout := io.Pipe()
	sending := make(chan error, 1)
	go func() {
		var err error
		sent, err = parcel.Send(toPod, fromPod)
		toPod.CloseWithError(err)    // The pod sees an end of file.
		io.Copy(io.Discard, fromPod) // Until the stream ends: it must not block.
		sending <- err
	}()
	var complaint strings.Builder
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: &complaint})
	stdin.CloseWithError(errEnded)
	stdout.CloseWithError(errEnded)
	if broken := <-sending; broken != nil && !errors.Is(broken, errEnded) {
		err = broken
	}
	if said := strings.TrimPrefix(strings.TrimSpace(complaint.String()), "Error: "); err != nil && said != "" {
		err = errors.New(said)
	}
	return sent, err
}

// errEnded is what is left to send to a program that has ended.
var errEnded = errors.New("the program that receives has ended")

func (c *Cluster) receiver(target Target) (remotecommand.Executor, error) {
	request := c.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.namespace).Name(target.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: target.Container, Command: []string{target.path, "receive", path.Dir(target.path)},
			Stdin: true, Stdout: true, Stderr: true,
		}, scheme.ParameterCodec)
	return remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, request.URL().String())
}
