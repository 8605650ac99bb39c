package applyset

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// newCluster is a fake one that keeps a record of who owns what. It knows no UIDs but
// those that the objects have.
func newCluster(funcs interceptor.Funcs, objects ...kube.Object) *kube.Cluster {
	builder := fake.NewClientBuilder().WithReturnManagedFields().WithRESTMapper(mapper()).WithTypeConverters(managedfields.NewDeducedTypeConverter())
	for _, o := range objects {
		builder.WithObjects(o.DeepCopy())
	}
	return &kube.Cluster{WithWatch: interceptor.NewClient(builder.Build(), funcs), Config: &rest.Config{Host: "https://fake.example.com"}}
}

// mapper knows some kinds of which the cluster says which version it prefers.
func mapper() meta.RESTMapper {
	versions := []schema.GroupVersion{corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion, networkingv1.SchemeGroupVersion}
	mapper := meta.NewDefaultRESTMapper(versions)
	for _, version := range versions {
		for kind := range scheme.Scheme.KnownTypes(version) {
			scope := meta.RESTScopeNamespace
			if kind == "Namespace" {
				scope = meta.RESTScopeRoot
			}
			mapper.Add(version.WithKind(kind), scope)
		}
	}
	return mapper
}

// applied gives objects UIDs, their names, as if this program had applied them.
func applied(objects ...kube.Object) []kube.Object {
	for _, o := range objects {
		o.SetUID(types.UID(kube.NameIn(o)))
		setManagers(o, plan.FieldManager)
	}
	return objects
}

// fields are those that a manager has applied: a record of none is dropped.
const fields = `{"f:data": {"f:color": {}}, "f:metadata": {"f:labels": {"f:` + PartOfLabel + `": {}}}}`

// setManagers has managers apply an object.
func setManagers(o kube.Object, managers ...string) {
	var entries []metav1.ManagedFieldsEntry
	for _, manager := range managers {
		entries = append(entries, metav1.ManagedFieldsEntry{
			Manager: manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: o.GetAPIVersion(), FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields),
		})
	}
	o.SetManagedFields(entries)
}

// members are objects of the set shop.
func members(t *testing.T, texts ...string) []kube.Object {
	t.Helper()
	objects := applied(decode(t, texts...)...)
	if err := shop.Label(objects); err != nil {
		t.Fatal(err)
	}
	return objects
}

// parentOf reads the parent of the set shop.
func parentOf(t *testing.T, c *kube.Cluster) *Parent {
	t.Helper()
	p, err := shop.Read(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// live returns an object as it is in the cluster, or nil.
func live(t *testing.T, c *kube.Cluster, o kube.Object) kube.Object {
	t.Helper()
	o, err := c.Live(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func forbidden(o client.Object) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: "things"}, o.GetName(), nil)
}
