//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/koshop/koshop/internal/workshop/check"
	reach "github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// looked is what `workshop check CHAPTER` finds.
type looked struct{ report.Result }

// look runs the check of a chapter against a namespace.
func (c *cluster) look(t testing.TB, namespace, chapter string) looked {
	t.Helper()
	place := check.Place{Connect: func() (*reach.Shop, error) { return c.workshop(t, namespace), nil }}
	sections := check.Sections(place, chapter)
	if len(sections) != 1 {
		t.Fatalf("there is no chapter %s", chapter)
	}
	return looked{report.Run(t.Context(), sections[0], report.Quiet{})}
}

// workshop is the cluster as the workshop's tool sees it.
func (c *cluster) workshop(t testing.TB, namespace string) *reach.Shop {
	t.Helper()
	w, err := reach.New(c.config, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// passes wants nothing but ✓ in the checks of chapters.
func (c *cluster) passes(t testing.TB, namespace string, chapters ...string) {
	t.Helper()
	for _, chapter := range chapters {
		c.look(t, namespace, chapter).passes(t)
	}
}

// passes wants nothing but ✓ in the check of the chapter without a cluster.
func (l *laptop) passes(t testing.TB) {
	t.Helper()
	place := check.Place{FrontDoor: fmt.Sprintf("localhost:%d", l.port)}
	looked{report.Run(t.Context(), check.Sections(place, "laptop")[0], report.Quiet{})}.passes(t)
}

func (l looked) passes(t testing.TB) {
	t.Helper()
	for _, step := range l.Steps {
		if step.Status != report.Passed {
			t.Errorf("chapter %s: %s %s: %s\n→ %s", l.Name, step.Name, step.Status, step.Saw, step.Next)
		}
	}
}

// failsAt wants one step, and only that, to fail: it saw this, and says what to
// do next.
func (l looked) failsAt(t testing.TB, name, saw, next string) {
	t.Helper()
	found := false
	for _, step := range l.Steps {
		switch {
		case step.Name == name:
			found = true
			if step.Status != report.Failed || !strings.Contains(step.Saw, saw) || !strings.Contains(step.Next, next) {
				t.Errorf("%s: %s %s: %s\n→ %s\nwant it failed: %s\n→ %s", l.Name, step.Name, step.Status, step.Saw, step.Next, saw, next)
			}
		case !found && step.Status != report.Passed, step.Status == report.Failed:
			t.Errorf("%s: %s %s: %s", l.Name, step.Name, step.Status, step.Saw)
		}
	}
	if !found {
		t.Errorf("%s has no step %s", l.Name, name)
	}
}

// A class goes from nothing to the end, with mistakes on the way, and back.
func TestWorkshopChecks(t *testing.T) {
	c := connect(t)
	const namespace = "e2e-check"
	c.claimNamespace(t, namespace)
	for _, chapter := range []string{"users", "products", "deploy", "connect", "payments", "gateway", "duplicate"} {
		c.look(t, namespace, chapter).failsAt(t, "namespace", "there is no namespace "+namespace, "NAMESPACE="+namespace+" make deploy-workshop")
	}
	mustKo(t, onCluster("apply", "-k", "kustomize/overlays/workshop", "--namespace", namespace, "--wait")...)
	c.passes(t, namespace, "users", "products", "deploy")
	c.look(t, namespace, "duplicate").failsAt(t, "pay again", "the order is paid twice", "cmd/payments-starter/main.go")

	t.Run("a service without pods", func(t *testing.T) {
		c.patch(t, namespace, "orders-svc", `{"spec": {"replicas": 0}}`)
		c.look(t, namespace, "deploy").failsAt(t, "orders-svc", "scaled to no pods", "kubectl --namespace="+namespace+" scale deployment orders-svc --replicas=1")
		eventually(t, "the pods are gone", func(ctx context.Context) error {
			list, err := c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=orders-svc"})
			if err == nil && len(list.Items) > 0 {
				err = fmt.Errorf("there are %d", len(list.Items))
			}
			return err
		})
		c.look(t, namespace, "duplicate").failsAt(t, "pay", "status 502", "bin/workshop check deploy")
		c.patch(t, namespace, "orders-svc", `{"spec": {"replicas": 2}}`)
		c.rolledOut(t, namespace, "orders-svc")
	})
	t.Run("a Service that leads nowhere", func(t *testing.T) {
		for target, says := range map[string]string{`9999`: "port 9999 of pod product-svc-", `"other"`: "no ready pod is behind port 80 of service product-svc"} {
			c.leadTo(t, namespace, "product-svc", target)
			c.look(t, namespace, "products").failsAt(t, "product-svc", says, "logs deployment/product-svc")
		}
		c.leadTo(t, namespace, "product-svc", `"http"`)
		c.passes(t, namespace, "products")
	})
	t.Run("images of others", func(t *testing.T) {
		own, products := c.imageOf(t, namespace, "api-gateway"), c.imageOf(t, namespace, "product-svc")
		c.runImage(t, namespace, "api-gateway", products)
		c.rolledOut(t, namespace, "api-gateway")
		c.look(t, namespace, "deploy").failsAt(t, "api-gateway", "/cmd/product-svc", "make deploy-workshop")
		c.runImage(t, namespace, "api-gateway", withoutHistory(t, own))
		c.rolledOut(t, namespace, "api-gateway")
		c.look(t, namespace, "deploy").failsAt(t, "api-gateway", "which ko did not build", "make deploy-workshop")
		c.runImage(t, namespace, "api-gateway", strings.Split(own, "@")[0]+"-of-nobody:missing")
		eventually(t, "the kubelet has tried", func(context.Context) error {
			for _, step := range c.look(t, namespace, "deploy").Steps {
				if step.Name == "api-gateway" && strings.Contains(step.Saw, "cannot be pulled") {
					return nil
				}
			}
			return errors.New("there is no word of an image")
		})
		c.look(t, namespace, "deploy").failsAt(t, "api-gateway", "cannot be pulled", "KO_DOCKER_REPO")
	})
	t.Run("the exercise solved", func(t *testing.T) {
		solved := overlayIn(t, "kustomize/overlays/workshop", namespace, `images:
- name: ko://github.com/koshop/koshop/cmd/payments-starter
  newName: ko://github.com/koshop/koshop/internal/workshop/exercise/solution
`)
		mustKo(t, onCluster("apply", "-k", solved, "--wait")...)
		c.passes(t, namespace, "deploy", "duplicate")
	})
	t.Run("no telepresence", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		for _, chapter := range []string{"connect", "payments", "gateway"} {
			c.look(t, namespace, chapter).failsAt(t, "connection", "not on PATH", "install")
		}
	})
	t.Run("reset", func(t *testing.T) { c.resets(t, namespace) })
	c.look(t, namespace, "deploy").failsAt(t, "namespace", "there is no namespace", "make deploy-workshop")
}

// patch changes a deployment.
func (c *cluster) patch(t *testing.T, namespace, deployment, patch string) {
	t.Helper()
	_, err := c.AppsV1().Deployments(namespace).Patch(t.Context(), deployment, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// leadTo changes the target port of a Service.
func (c *cluster) leadTo(t *testing.T, namespace, service, target string) {
	t.Helper()
	patch := fmt.Sprintf(`[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": %s}]`, target)
	if _, err := c.CoreV1().Services(namespace).Patch(t.Context(), service, types.JSONPatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// runImage makes a service run an image.
func (c *cluster) runImage(t *testing.T, namespace, service, image string) {
	t.Helper()
	c.patch(t, namespace, service, fmt.Sprintf(`{"spec": {"template": {"spec": {"containers": [{"name": %q, "image": %q}]}}}}`, service, image))
}

func (c *cluster) imageOf(t *testing.T, namespace, service string) string {
	t.Helper()
	deployment, err := c.AppsV1().Deployments(namespace).Get(t.Context(), service, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return deployment.Spec.Template.Spec.Containers[0].Image
}

// rolledOut waits until a deployment has the pods that it is to have.
func (c *cluster) rolledOut(t *testing.T, namespace, service string) {
	t.Helper()
	eventually(t, service+" is rolled out", func(ctx context.Context) error {
		deployment, err := c.AppsV1().Deployments(namespace).Get(ctx, service, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if s := deployment.Status; s.ObservedGeneration < deployment.Generation || s.UpdatedReplicas != *deployment.Spec.Replicas || s.ReadyReplicas != *deployment.Spec.Replicas || s.Replicas != *deployment.Spec.Replicas {
			return fmt.Errorf("its status is %+v", s)
		}
		_, err = c.readyPods(ctx, namespace, service, int(*deployment.Spec.Replicas))
		return err
	})
}

// withoutHistory pushes an image again, as if somebody else had built it.
func withoutHistory(t *testing.T, image string) string {
	t.Helper()
	reference, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	original, err := remote.Image(reference)
	if err != nil {
		t.Fatal(err)
	}
	config, err := original.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.History = nil
	other, err := mutate.ConfigFile(original, config)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := other.Digest()
	if err != nil {
		t.Fatal(err)
	}
	copied := reference.Context().Digest(digest.String())
	if err := remote.Write(copied, other); err != nil {
		t.Fatal(err)
	}
	return copied.String()
}
