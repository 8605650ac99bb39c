// Package reload is the developer's side of live reload: it sends executables
// to the pods whose supervisor, package live, runs them.
package reload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
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

// Targets returns the running containers with a supervisor of the pods that a
// label selector matches. It is an error if there are none.
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
		return nil, fmt.Errorf("no container runs under %s in the %d pods with %s in namespace %s: "+
			"deploy them with the component kustomize/components/live-reload", supervisor, len(pods.Items), selector, c.namespace)
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

// Send sends an executable to all targets at once, and returns when all of them
// run it. An error says of each that does not why.
func (c *Cluster) Send(ctx context.Context, targets []Target, executable string) error {
	var stream bytes.Buffer
	if err := live.Send(&stream, executable); err != nil {
		return fmt.Errorf("compressing %s: %w", executable, err)
	}
	problems := make([]error, len(targets))
	var group errgroup.Group
	for i, target := range targets {
		group.Go(func() error {
			if err := c.send(ctx, target, bytes.NewReader(stream.Bytes())); err != nil {
				problems[i] = fmt.Errorf("pod %s, container %s: %w", target.Pod, target.Container, err)
			}
			return nil
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(problems...)
}

func (c *Cluster) send(ctx context.Context, target Target, stream io.Reader) error {
	request := c.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.namespace).Name(target.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: target.Container, Command: []string{target.path, "receive", path.Dir(target.path)},
			Stdin: true, Stderr: true,
		}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, request.URL().String())
	if err != nil {
		return err
	}
	var complaint strings.Builder
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stream, Stderr: &complaint})
	if said := strings.TrimPrefix(strings.TrimSpace(complaint.String()), "Error: "); err != nil && said != "" {
		return errors.New(said)
	}
	return err
}
