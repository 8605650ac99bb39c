//go:build apiserver

package apply_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// compare returns what an apply would change. It fails the test if anything but a dry
// run is sent for that.
func compare(t *testing.T, c *kube.Cluster, opts plan.Options, objects ...kube.Object) (*diff.Result, error) {
	t.Helper()
	return apply.Diff(t.Context(), dryOnly(t, c), objects, apply.Options{Options: opts}, nil, progress.New(io.Discard))
}

// mustCompare is the same where there is to be no error, and returns the text.
func mustCompare(t *testing.T, c *kube.Cluster, opts plan.Options, objects ...kube.Object) string {
	t.Helper()
	result, err := compare(t, c, opts, objects...)
	if err != nil {
		t.Fatal(err)
	}
	return textOf(t, result)
}

func textOf(t *testing.T, result *diff.Result) string {
	t.Helper()
	var out strings.Builder
	if err := result.Text(&out, false); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// dryOnly wraps a cluster that is to get dry runs only.
func dryOnly(t *testing.T, c *kube.Cluster) *kube.Cluster {
	wants := func(verb string, o any, dryRun []string) {
		if !slices.Equal(dryRun, []string{"All"}) {
			t.Errorf("%s of %T %v is no dry run", verb, o, o)
		}
	}
	clone := *c
	clone.WithWatch = interceptor.NewClient(c.WithWatch, interceptor.Funcs{
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			wants("create", o, (&client.CreateOptions{}).ApplyOptions(opts).DryRun)
			return w.Create(ctx, o, opts...)
		},
		Update: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			wants("update", o, (&client.UpdateOptions{}).ApplyOptions(opts).DryRun)
			return w.Update(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			wants("patch", o, (&client.PatchOptions{}).ApplyOptions(opts).DryRun)
			return w.Patch(ctx, o, patch, opts...)
		},
		Apply: func(ctx context.Context, w client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			wants("apply", o, (&client.ApplyOptions{}).ApplyOptions(opts).DryRun)
			return w.Apply(ctx, o, opts...)
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			wants("delete", o, (&client.DeleteOptions{}).ApplyOptions(opts).DryRun)
			return w.Delete(ctx, o, opts...)
		},
		DeleteAllOf: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteAllOfOption) error {
			wants("delete all", o, nil)
			return w.DeleteAllOf(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, w client.Client, name string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			wants("patch "+name, o, nil)
			return w.SubResource(name).Patch(ctx, o, patch, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, w client.Client, name string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			wants("update "+name, o, nil)
			return w.SubResource(name).Update(ctx, o, opts...)
		},
	})
	return &clone
}

// versions returns every object of every kind that is in one of the namespaces of a
// test, or has a name of it, as far as its user decides about it: without what
// controllers create (Pods may still appear) and without what they write into others.
func versions(t *testing.T, c *kube.Cluster, namespace string) map[string]string {
	t.Helper()
	asking, err := discovery.NewDiscoveryClientForConfig(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	lists, err := asking.ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || resource.Kind == "Event" {
				continue
			}
			maps.Copy(found, versionsOf(t, c, namespace, group.WithKind(resource.Kind)))
		}
	}
	return found
}

func versionsOf(t *testing.T, c *kube.Cluster, namespace string, kind schema.GroupVersionKind) map[string]string {
	t.Helper()
	all := &unstructured.UnstructuredList{}
	all.SetGroupVersionKind(kind)
	if err := c.List(t.Context(), all); err != nil && !kube.IsAbsent(err) { // The definition of another test may go.
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, o := range all.Items {
		if !strings.HasPrefix(o.GetNamespace(), namespace) && !strings.Contains(o.GetName(), namespace) {
			continue
		}
		if byUser := decidedByUser(t, o); byUser != "" {
			found[kind.Kind+" "+o.GetNamespace()+"/"+o.GetName()] = byUser
		}
	}
	return found
}

// decidedByUser returns an object as JSON, without its status and whatever else changes
// when a controller writes. It is empty for an object that only controllers have
// written.
func decidedByUser(t *testing.T, o unstructured.Unstructured) string {
	t.Helper()
	managers := slices.DeleteFunc(o.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		return m.Manager == "kube-controller-manager" || m.Subresource == "status"
	})
	if len(managers) == 0 {
		return ""
	}
	o.SetManagedFields(managers)
	o.SetResourceVersion("")
	unstructured.RemoveNestedField(o.Object, "status")
	annotations := o.GetAnnotations()
	delete(annotations, "deployment.kubernetes.io/revision")
	if len(annotations) == 0 {
		annotations = nil
	}
	o.SetAnnotations(annotations)
	text, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
