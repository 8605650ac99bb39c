package apply_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

const settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: NS}
data: {color: blue, size: "1"}`

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example.com/web:1"}]}`

// newNamespace makes one for a test on the API server.
func newNamespace(t *testing.T, c *kube.Cluster) string {
	t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
	o.SetGenerateName("apply-")
	if err := c.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Delete(context.Background(), o); err != nil {
			t.Error(err)
		}
	})
	return o.GetName()
}

// decode reads manifests in which NS stands for a namespace.
func decode(t *testing.T, namespace string, manifests ...string) []kube.Object {
	t.Helper()
	objects, err := kube.Decode([]byte(strings.ReplaceAll(strings.Join(manifests, "\n---\n"), "NS", namespace)))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// send applies objects, and returns a line for each as kubectl prints it.
func send(t *testing.T, c *kube.Cluster, opts plan.Options, objects ...kube.Object) (lines []string, err error) {
	t.Helper()
	err = apply.Send(t.Context(), c, objects, apply.Options{Options: opts, Timeout: time.Minute}, progress.New(io.Discard), func(e event.Event) {
		lines = append(lines, e.Object+" "+e.Action)
	})
	return lines, err
}

// by has somebody else set fields, with their own name.
func by(t *testing.T, c *kube.Cluster, manager string, o kube.Object) {
	t.Helper()
	err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o.DeepCopy()), client.FieldOwner(manager), client.ForceOwnership)
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, is func() (bool, error)) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 2*time.Minute, true, func(context.Context) (bool, error) { return is() })
	if err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

var errInjected = errors.New("injected")
