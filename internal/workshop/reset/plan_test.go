package reset

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/cluster"
)

// The shop, a preview that others use, one that they do not, and two classes, of
// which one has a namespace with something of its attendee's.
func newPlan(t *testing.T, refused string) (Plan, client.Client) {
	t.Helper()
	t.Setenv("PATH", t.TempDir()) // Without Telepresence.
	monday, tuesday := map[string]string{class.Label: "monday"}, map[string]string{class.Label: "tuesday", "workshop.koshop.dev/attendee": "ada"}
	all := fake.NewClientBuilder().WithReturnManagedFields().WithObjects(
		shopNamespace("api"), shopNamespace("feature"), shopNamespace("used"),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "theirs"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "api-ada", Labels: tuesday}},
		&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "attendee", Namespace: "theirs", Labels: monday}},
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "own", Namespace: "api-ada"}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "shell", Namespace: "used"}},
	).WithInterceptorFuncs(interceptor.Funcs{
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if o.GetName() == refused {
				return errors.New("not allowed")
			}
			return w.Delete(ctx, o, opts...)
		},
	}).Build()
	for _, namespace := range []string{"feature", "used", "theirs", "api-ada"} {
		labels := map[string]string{shopLabel: shopName, "app.kubernetes.io/name": "preview"}
		ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "preview", Namespace: namespace, Labels: labels}}
		if err := all.Create(t.Context(), ingress); err != nil {
			t.Fatal(err)
		}
	}
	shop := &cluster.Shop{Cluster: &kube.Cluster{WithWatch: all, Config: &rest.Config{Host: "https://school.example.com"}, Namespace: "api"}}
	plan, err := Make(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	return plan, all
}

func TestMake(t *testing.T) {
	plan, _ := newPlan(t, "")
	if want := []string{"role/attendee in theirs", "namespace/api-ada", "namespace/api", "namespace/feature"}; !slices.Equal(plan.Lines(), want) {
		t.Errorf("to be removed: %q, want %q", plan.Lines(), want)
	}
	want := []string{"namespace/theirs: it was not made by the workshop", "namespace/used: others have something there: pod/shell in used"}
	if !slices.Equal(plan.Kept, want) {
		t.Errorf("stays: %q, want %q", plan.Kept, want)
	}
}

func TestRemove(t *testing.T) {
	plan, all := newPlan(t, "")
	dir := kubeconfigs(t, "ada", "grace")
	var log bytes.Buffer
	if err := plan.Remove(t.Context(), dir, progress.New(&log)); err != nil {
		t.Fatal(err)
	}
	if got, want := namespaces(t, all), []string{"theirs", "used"}; !slices.Equal(got, want) {
		t.Errorf("there are namespaces %q, want %q", got, want)
	}
	for _, line := range plan.Lines() {
		if !strings.Contains(log.String(), line+": gone") {
			t.Errorf("nothing was said of %s in\n%s", line, log.String())
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 || files[0].Name() != "grace.kubeconfig" {
		t.Errorf("kubeconfigs %v, error %v, want grace's, who is in no class", files, err)
	}
}

// Without kubeconfigs, and with one namespace that may not be deleted.
func TestRemoveGoesOn(t *testing.T) {
	for refused, want := range map[string][]string{"api": {"api", "theirs", "used"}, "api-ada": {"api-ada", "theirs", "used"}} {
		plan, all := newPlan(t, refused)
		err := plan.Remove(t.Context(), filepath.Join(t.TempDir(), "missing"), progress.New(nil))
		if err == nil || err.Error() != "namespace/"+refused+": not allowed" {
			t.Errorf("error %v", err)
		}
		if got := namespaces(t, all); !slices.Equal(got, want) {
			t.Errorf("there are namespaces %q, want %q", got, want)
		}
	}
}

// Interrupted, it says so once, whatever else there was to do.
func TestRemoveInterrupted(t *testing.T) {
	plan, all := newPlan(t, "")
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := plan.Remove(ctx, t.TempDir(), progress.New(nil)); !errors.Is(err, stop) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	if got := namespaces(t, all); len(got) != 5 {
		t.Errorf("there are namespaces %q", got)
	}
}

// shopNamespace is one that ko apply has made.
func shopNamespace(name string) *corev1.Namespace {
	fields := metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{"f:` + shopLabel + `":{}}}}`)
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{shopLabel: shopName}, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "ko", Operation: metav1.ManagedFieldsOperationApply, APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: fields}},
	}}
}

func namespaces(t *testing.T, c client.Client) []string {
	t.Helper()
	var list corev1.NamespaceList
	if err := c.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, namespace := range list.Items {
		names = append(names, namespace.Name)
	}
	slices.Sort(names)
	return names
}

// kubeconfigs makes a directory with those of some attendees.
func kubeconfigs(t *testing.T, attendees ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, attendee := range attendees {
		config := `{"kind": "Config", "apiVersion": "v1", "clusters": [{"name": "tuesday", "cluster": {"server": "https://school.example.com"}}]}`
		if err := os.WriteFile(filepath.Join(dir, attendee+".kubeconfig"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
