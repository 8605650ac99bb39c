//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"

	"github.com/koshop/koshop/internal/workshop/flow"
)

// patience is how long a test waits for what a healthy cluster does in seconds.
const patience = 10 * time.Minute

// pollEvery is how often a condition is looked at meanwhile.
const pollEvery = 200 * time.Millisecond

// cluster is the tests' own view of the cluster.
type cluster struct {
	*kubernetes.Clientset
	config *rest.Config
}

func connect(t testing.TB) *cluster {
	t.Helper()
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(),
		&clientcmd.ConfigOverrides{CurrentContext: os.Getenv("CONTEXT")})
	config, err := loader.ClientConfig()
	if err != nil {
		t.Fatalf("no cluster to test on: %v; run `make e2e`", err)
	}
	config.UserAgent = "kubectl-edit/e2e" // What a test changes, somebody does by hand: the API server keeps it as that.
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{Clientset: clientset, config: config}
}

// eventually polls until the condition holds, and fails with its last reason.
func eventually(t testing.TB, what string, condition func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := condition(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		case <-time.After(pollEvery):
		}
	}
}

// namespaceGone fails unless the namespace does not exist.
func (c *cluster) namespaceGone(t testing.TB, name string) {
	t.Helper()
	_, err := c.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("namespace %s is still there (error %v)", name, err)
	}
}

// claimNamespace makes sure that a namespace is the test's to make and delete:
// one that is there already is somebody's.
func (c *cluster) claimNamespace(t testing.TB, name string) {
	t.Helper()
	_, err := c.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Fatalf("the test needs namespace %s for itself, and it is there already (error %v): delete it, or use another cluster", name, err)
	}
	t.Cleanup(func() { c.deleteNamespace(t, name) })
}

// newNamespace makes a namespace for the time of the test.
func (c *cluster) newNamespace(t testing.TB) string {
	t.Helper()
	namespace, err := c.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.deleteNamespace(t, namespace.Name) })
	return namespace.Name
}

// deleteNamespace deletes a namespace, if it is there, and waits until it is gone.
func (c *cluster) deleteNamespace(t testing.TB, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	err := c.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
	for err == nil && ctx.Err() == nil {
		time.Sleep(pollEvery)
		_, err = c.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	}
	if !apierrors.IsNotFound(err) {
		t.Errorf("deleting namespace %s: %v", name, err)
	}
}

// pods returns the pods of a workload that are not on their way out.
func (c *cluster) pods(ctx context.Context, namespace, workload string) ([]corev1.Pod, error) {
	selector := labels.Set{"app.kubernetes.io/name": workload}.String()
	list, err := c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	var pods []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// readyPods fails unless there are n pods of the workload and all are ready.
func (c *cluster) readyPods(ctx context.Context, namespace, workload string, n int) ([]corev1.Pod, error) {
	pods, err := c.pods(ctx, namespace, workload)
	if err != nil {
		return nil, err
	}
	ready := 0
	for _, pod := range pods {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	if len(pods) != n || ready != n {
		return nil, fmt.Errorf("%s has %d pods, %d of them ready, want %d", workload, len(pods), ready, n)
	}
	return pods, nil
}

// forward opens a port-forward to a ready pod of the workload and returns the
// base URL of its http port. It ends with the test.
func (c *cluster) forward(t testing.TB, namespace, workload string) string {
	t.Helper()
	return "http://" + c.forwardPort(t, namespace, workload, 8080)
}

// forwardPort returns the address here that leads to a port of the pod.
func (c *cluster) forwardPort(t testing.TB, namespace, workload string, port int) string {
	t.Helper()
	pods, err := c.pods(t.Context(), namespace, workload)
	if err != nil || len(pods) == 0 {
		t.Fatalf("no pod of %s to forward to: %v", workload, err)
	}
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		t.Fatal(err)
	}
	url := c.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pods[0].Name).SubResource("portforward").URL()
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.New(dialer, []string{fmt.Sprintf("0:%d", port)}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("forwarding to %s: %v", pods[0].Name, err)
	}
	t.Cleanup(func() {
		close(stop)
		<-ended
	})
	ports, err := forwarder.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("localhost", strconv.Itoa(int(ports[0].Local)))
}

// forwardShop opens port-forwards to the two services that face users.
func (c *cluster) forwardShop(t testing.TB, namespace string) flow.Shop {
	t.Helper()
	return flow.Shop{
		Gateway: c.forward(t, namespace, "api-gateway"),
		Users:   c.forward(t, namespace, "user-svc"),
	}
}
