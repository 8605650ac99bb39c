//go:build !apiserver

package apply_test

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// oneIn is of how many requests one is broken, by chance.
const oneIn = 20

// newCluster is a fake one, which keeps a record of who owns what and takes any object.
func newCluster(t testing.TB) *kube.Cluster {
	t.Helper()
	c := interceptor.NewClient(newFake(), interceptor.Funcs{Apply: applyOrTry})
	return &kube.Cluster{WithWatch: c, Config: &rest.Config{Host: "https://fake.example.com"}, Namespace: "default"}
}

func newFake(objects ...client.Object) client.WithWatch {
	return fake.NewClientBuilder().WithReturnManagedFields().WithRESTMapper(mapper{kube.BuiltIn()}).
		WithTypeConverters(managedfields.NewDeducedTypeConverter()).WithObjects(objects...).Build()
}

// mapper also knows which version of a kind there is, as the API server says it.
type mapper struct{ meta.RESTMapper }

func (m mapper) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	return m.RESTMapper.RESTMapping(kind, append(versions, "v1")...)
}

// applyOrTry does a dry run in another cluster: the fake knows none.
func applyOrTry(ctx context.Context, w client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	options := (&client.ApplyOptions{}).ApplyOptions(opts)
	if len(options.DryRun) == 0 {
		return w.Apply(ctx, o, opts...)
	}
	wanted, ok := o.(client.Object)
	if !ok {
		return fmt.Errorf("%T is no object", o)
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(wanted.GetObjectKind().GroupVersionKind())
	elsewhere := newFake()
	if err := w.Get(ctx, client.ObjectKeyFromObject(wanted), live); err == nil {
		elsewhere = newFake(live)
	}
	options.DryRun = nil
	return elsewhere.Apply(ctx, o, options)
}
