//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var services = []string{"user-svc", "product-svc", "orders-svc", "payments-svc", "api-gateway"}

// Each overlay is deployed where its manifests say, used, disturbed, deployed
// again and removed.
func TestOverlays(t *testing.T) {
	for _, overlay := range []struct {
		name     string
		replicas int
		database []string // the pods that hold the data of others
	}{
		{name: "dev", replicas: 1},
		{name: "staging", replicas: 2, database: []string{"postgres"}},
	} {
		t.Run(overlay.name, func(t *testing.T) {
			c := connect(t)
			dir := "kustomize/overlays/" + overlay.name
			c.claimNamespace(t, "api")
			first := mustKo(t, onCluster("apply", "-k", dir, "--wait")...)

			for _, service := range services {
				c.runsPublished(t, "api", service, overlay.replicas, published(first.stderr)[service])
			}
			c.passes(t, "api", "users", "products", "deploy", "duplicate")
			receipt, err := c.forwardShop(t, "api").Buy(t.Context(), uuid.NewString()+"@example.com")
			if err != nil {
				t.Fatalf("%v\n%s", err, c.shopLogs(t, "api"))
			}
			c.walkInside(t, "api")

			for _, workload := range append(overlay.database, services...) {
				c.replacePods(t, "api", workload)
			}
			shop := c.forwardShop(t, "api")
			eventually(t, "the order and the payment after every pod was replaced", func(ctx context.Context) error {
				return shop.Check(ctx, receipt)
			})

			again := mustKo(t, onCluster("apply", "-k", dir, "--wait")...)
			for _, line := range strings.Split(strings.TrimSpace(again.stdout), "\n") {
				if !strings.HasSuffix(line, " unchanged") {
					t.Errorf("a second apply of the same source says %q", line)
				}
			}
			mustKo(t, onCluster("delete", "-k", dir)...)
			c.namespaceGone(t, "api")
		})
	}
}

// One line in a parent kustomization moves a whole overlay, and so does
// --namespace.
func TestOverlayMovedToAnotherNamespace(t *testing.T) {
	c := connect(t)
	for namespace, moved := range map[string][]string{
		"e2e-moved-dev":     {"-k", overlayIn(t, "kustomize/overlays/dev", "e2e-moved-dev", "")},
		"e2e-moved-staging": {"-k", "kustomize/overlays/staging", "--namespace", "e2e-moved-staging"},
	} {
		c.claimNamespace(t, namespace)
		mustKo(t, onCluster(append([]string{"apply", "--wait"}, moved...)...)...)
		if _, err := c.forwardShop(t, namespace).Walk(t.Context(), uuid.NewString()+"@example.com"); err != nil {
			t.Errorf("%s: %v\n%s", namespace, err, c.shopLogs(t, namespace))
		}
		c.walkInside(t, namespace)
		mustKo(t, onCluster(append([]string{"delete"}, moved...)...)...)
		c.namespaceGone(t, namespace)
	}
}

// runsPublished compares what the containers of a service run with what ko said
// it published. An autoscaler adds replicas some seconds after a deploy.
func (c *cluster) runsPublished(t *testing.T, namespace, service string, replicas int, digest string) {
	t.Helper()
	var pods []corev1.Pod
	eventually(t, "the replicas of "+service, func(ctx context.Context) (err error) {
		pods, err = c.readyPods(ctx, namespace, service, replicas)
		return err
	})
	if digest == "" {
		t.Errorf("ko did not say what it published for %s", service)
	}
	for _, pod := range pods {
		if id := pod.Status.ContainerStatuses[0].ImageID; !strings.HasSuffix(id, "@"+digest) {
			t.Errorf("pod %s runs %s, ko published %s", pod.Name, id, digest)
		}
	}
}

// replacePods deletes the pods of a workload and waits until others are ready.
func (c *cluster) replacePods(t *testing.T, namespace, workload string) {
	t.Helper()
	old, err := c.pods(t.Context(), namespace, workload)
	if err != nil || len(old) == 0 {
		t.Fatalf("%s has no pods to replace: %v", workload, err)
	}
	uids := map[string]bool{}
	for _, pod := range old {
		uids[string(pod.UID)] = true
		if err := c.CoreV1().Pods(namespace).Delete(t.Context(), pod.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "new pods of "+workload, func(ctx context.Context) error {
		pods, err := c.readyPods(ctx, namespace, workload, len(old))
		for _, pod := range pods {
			if uids[string(pod.UID)] {
				return fmt.Errorf("pod %s is still the old one", pod.Name)
			}
		}
		return err
	})
}

// walkInside walks the user flow from a pod in the namespace: by the names and
// ClusterIPs of the Services, as the workshop's requests do. The pod goes with
// its namespace.
func (c *cluster) walkInside(t *testing.T, namespace string) {
	t.Helper()
	image := strings.TrimSpace(mustKo(t, "build", "--bare=false", "--base-import-paths", "./internal/e2e/walk").stdout)
	pods := c.CoreV1().Pods(namespace)
	pod, err := pods.Create(t.Context(), walkPod(image, namespace), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var phase corev1.PodPhase
	eventually(t, "the walk inside the cluster ends", func(ctx context.Context) error {
		now, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		phase = now.Status.Phase
		if phase != corev1.PodSucceeded && phase != corev1.PodFailed {
			return fmt.Errorf("pod %s is %s", pod.Name, phase)
		}
		return nil
	})
	if phase == corev1.PodFailed {
		t.Errorf("the walk inside the cluster failed: %s\n%s", c.logs(t, namespace, pod.Name), c.shopLogs(t, namespace))
	}
}

// shopLogs returns what the services have to say, but for probes.
func (c *cluster) shopLogs(t *testing.T, namespace string) string {
	t.Helper()
	var all strings.Builder
	for _, service := range services {
		pods, err := c.pods(t.Context(), namespace, service)
		if err != nil {
			t.Error(err)
		}
		for _, pod := range pods {
			for line := range strings.Lines(c.logs(t, namespace, pod.Name)) {
				if !strings.Contains(line, "/readyz") && !strings.Contains(line, "/livez") {
					fmt.Fprintf(&all, "%s: %s", pod.Name, line)
				}
			}
		}
	}
	return all.String()
}

func (c *cluster) logs(t *testing.T, namespace, pod string) string {
	t.Helper()
	stream, err := c.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{}).Stream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// walkPod runs the walk as the profile restricted wants it.
func walkPod(image, namespace string) *corev1.Pod {
	no, yes := false, true
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "walk-"},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: &no,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:   &yes,
				RunAsUser:      new(int64(65532)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name:  "walk",
				Image: image,
				Env:   []corev1.EnvVar{{Name: "SHOP_NAMESPACE", Value: namespace}},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no,
					ReadOnlyRootFilesystem:   &yes,
					Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}
