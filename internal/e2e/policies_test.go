//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Of all pods, payments-svc is reached by the gateway's alone; pods of another namespace
// reach what faces users. The user flow, payment included, works all the same.
func TestNetworkPolicies(t *testing.T) {
	c := connect(t)
	image := strings.TrimSpace(mustKo(t, "build", "--bare=false", "--base-import-paths", "./internal/e2e/actor").stdout)
	elsewhere := c.newNamespace(t)
	c.needPolicies(t, elsewhere, image)
	const namespace = "e2e-policies"
	c.claimNamespace(t, namespace)
	mustKo(t, onCluster("apply", "-k", "kustomize/overlays/staging", "--namespace", namespace, "--wait")...)
	if _, err := c.forwardShop(t, namespace).Walk(t.Context(), uuid.NewString()+"@example.com"); err != nil {
		t.Errorf("%v\n%s", err, c.shopLogs(t, namespace))
	}
	outsider, stranger := caller{namespace: elsewhere, image: image}, caller{namespace: namespace, image: image}
	for _, test := range []struct {
		from    caller
		address string
		want    bool
	}{
		{outsider, "api-gateway:80", true},
		{outsider, "user-svc:80", true},
		{outsider, "product-svc:80", false},
		{outsider, "orders-svc:80", false},
		{outsider, "payments-svc:80", false},
		{outsider, "postgres:5432", false},
		{stranger, "payments-svc:80", false},
		{stranger.named("product-svc"), "payments-svc:80", false},
		{stranger.named("api-gateway"), "payments-svc:80", true},
		{stranger.named("api-gateway"), "postgres:5432", false},
	} {
		server, port, _ := strings.Cut(test.address, ":")
		address := server + "." + namespace + ":" + port
		t.Run(fmt.Sprintf("%s %v to %s", test.from.namespace, test.from.labels, test.address), func(t *testing.T) {
			t.Parallel()
			if test.want {
				c.eventuallyReaches(t, test.from, address)
			} else if c.reaches(t, test.from, address) {
				t.Error("it is reached")
			}
		})
	}
}

// needPolicies skips the test on a cluster whose network enforces no policies: there, a
// pod that may take no connection takes one. The local node enforces them if the kernel
// can hold a packet until a program has decided about it.
func (c *cluster) needPolicies(t *testing.T, namespace, image string) {
	t.Helper()
	neighbour := caller{namespace: namespace, image: image}
	server := c.address(t, namespace, c.run(t, neighbour))
	c.eventuallyReaches(t, neighbour, server)
	policy := &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "none"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
	}
	if _, err := c.NetworkingV1().NetworkPolicies(namespace).Create(t.Context(), policy, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if !c.reaches(t, neighbour, server) {
		return
	}
	if _, err := c.CoreV1().Nodes().Get(t.Context(), "koshop", metav1.GetOptions{}); err != nil {
		t.Skip("the network of this cluster enforces no network policies")
	}
	if _, err := os.Stat("/proc/net/netfilter/nfnetlink_queue"); err != nil {
		t.Skipf("this machine's kernel has no packet queues (nfnetlink_queue), so the local node enforces no network policies: %v", err)
	}
	t.Fatal("the local node enforces no network policies: what `make cluster` printed, or its log network-policies.log, says why")
}

// caller describes pods of the program actor that connect to others.
type caller struct {
	namespace, image string
	labels           map[string]string
}

// named returns pods that policies take for those of a workload of the shop. Its Service
// does not: they have no port of the name http.
func (c caller) named(workload string) caller {
	c.labels = map[string]string{"app.kubernetes.io/name": workload, "app.kubernetes.io/part-of": "koshop"}
	return c
}

// eventuallyReaches waits until such a pod can connect to an address.
func (c *cluster) eventuallyReaches(t *testing.T, from caller, address string) {
	t.Helper()
	eventually(t, "a pod reaches "+address, func(context.Context) error {
		if !c.reaches(t, from, address) {
			return errors.New("it does not")
		}
		return nil
	})
}

// reaches reports whether a new pod can connect to an address. The pod tries for some
// seconds, because the network drops what a pod sends that it does not know yet.
func (c *cluster) reaches(t *testing.T, from caller, address string) bool {
	t.Helper()
	name := c.run(t, from, "-needs="+address, "-within=5s", "-exit=0")
	var phase corev1.PodPhase
	eventually(t, "pod "+name+" ends", func(ctx context.Context) error {
		pod, err := c.CoreV1().Pods(from.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		phase = pod.Status.Phase
		if phase != corev1.PodSucceeded && phase != corev1.PodFailed {
			return fmt.Errorf("it is %s", phase)
		}
		return nil
	})
	return phase == corev1.PodSucceeded
}

// address waits until a pod of the actor runs, and returns where it serves.
func (c *cluster) address(t *testing.T, namespace, pod string) (address string) {
	t.Helper()
	eventually(t, "pod "+pod+" runs", func(ctx context.Context) error {
		pod, err := c.CoreV1().Pods(namespace).Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" {
			return fmt.Errorf("it is %s", pod.Status.Phase)
		}
		address = pod.Status.PodIP + ":8080"
		return nil
	})
	return address
}

// restricted fits Pod Security level restricted, which the shop's namespaces enforce.
var restricted = &corev1.SecurityContext{
	AllowPrivilegeEscalation: new(false),
	RunAsNonRoot:             new(true),
	Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
}

// run starts a pod, which goes with its namespace, and returns its name. A new namespace
// has no service account yet, without which it has no pods.
func (c *cluster) run(t *testing.T, from caller, args ...string) (name string) {
	t.Helper()
	eventually(t, "a pod is made in "+from.namespace, func(ctx context.Context) error {
		pod, err := c.CoreV1().Pods(from.namespace).Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "actor-", Labels: from.labels},
			Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "actor", Image: from.image, Args: args, SecurityContext: restricted}},
			},
		}, metav1.CreateOptions{})
		if err == nil {
			name = pod.Name
		}
		return err
	})
	return name
}
