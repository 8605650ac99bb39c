package applyset

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// An object that is not the record of this very set is refused, with what to do.
func TestParentOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		change func(labels, annotations map[string]string)
		want   []string // parts of the error; empty if there must be no error
	}{
		"ours":             {func(_, _ map[string]string) {}, nil},
		"of a later ko":    {func(_, a map[string]string) { a[ToolingAnnotation] = "ko/v9" }, nil},
		"without versions": {func(_, a map[string]string) { a[ToolingAnnotation] = "ko" }, nil},
		"kubectl's": {func(_, a map[string]string) { a[ToolingAnnotation] = "kubectl/v1.34.0" },
			[]string{"configmap/shop in namespace api", "that kubectl manages", "kubectl/v1.34.0", "another name"}},
		"of a tool with slashes": {func(_, a map[string]string) { a[ToolingAnnotation] = "example.com/ko/v1" }, []string{"that example.com/ko manages"}},
		"of a tool of our name":  {func(_, a map[string]string) { a[ToolingAnnotation] = "ko/v1/x" }, []string{"that ko/v1 manages"}},
		"of no tool":             {func(_, a map[string]string) { delete(a, ToolingAnnotation) }, []string{"does not say which tool", ToolingAnnotation}},
		"no parent": {func(l, a map[string]string) { delete(l, IDLabel); delete(a, ToolingAnnotation) },
			[]string{"keeps no record of a set", "another name"}},
		"without an id":            {func(l, _ map[string]string) { delete(l, IDLabel) }, []string{`has "" as its label ` + IDLabel, shop.ID()}},
		"a copy":                   {func(l, _ map[string]string) { l[IDLabel] = "applyset-x-v1" }, []string{`has "applyset-x-v1" as its label`, "copied"}},
		"without kinds":            {func(_, a map[string]string) { delete(a, KindsAnnotation) }, []string{"is damaged", "lacks the annotation " + KindsAnnotation}},
		"with a kind that is none": {func(_, a map[string]string) { a[KindsAnnotation] = "a b" }, []string{"configmap/shop in namespace api, is damaged", `"a b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			o := shop.Object(Of(decode(t, "apps/v1 Deployment b/web")))
			labels, annotations := o.GetLabels(), o.GetAnnotations()
			test.change(labels, annotations)
			o.SetLabels(labels)
			o.SetAnnotations(annotations)
			p, err := shop.parent(o)
			wantError(t, err, test.want...)
			if err == nil && (!p.Exists() || p.Listed.kinds() != "Deployment.apps" || p.Listed.namespacesBut("api") != "b") {
				t.Errorf("it lists %q in %v", p.Listed.kinds(), p.Listed.Namespaces)
			}
		})
	}
}

// A run lists more before it applies, and only what there is once it has pruned.
func TestExtendAndSettle(t *testing.T) {
	c := newCluster(interceptor.Funcs{})
	wantLists := func(kinds, namespaces string) {
		t.Helper()
		p := parentOf(t, c)
		if p.Listed.kinds() != kinds || p.Listed.namespacesBut("api") != namespaces {
			t.Errorf("it lists %q in %q, want %q in %q", p.Listed.kinds(), p.Listed.namespacesBut("api"), kinds, namespaces)
		}
	}
	p := parentOf(t, c)
	if p.Exists() {
		t.Error("it is there already")
	}
	first, second := decode(t, "v1 Service api/web", "apps/v1 Deployment b/web"), decode(t, "v1 Service api/web", "v1 Secret c/web")
	for range 2 {
		if err := errors.Join(p.Extend(t.Context(), c, first), p.Settle(t.Context(), c, first)); err != nil {
			t.Fatal(err)
		}
		wantLists("Deployment.apps,Service", "b")
	}
	p = parentOf(t, c)
	wantError(t, p.Extend(t.Context(), c, second))
	wantLists("Deployment.apps,Secret,Service", "b,c")
	wantError(t, p.Settle(t.Context(), c, second))
	wantLists("Secret,Service", "c")

	// The next write replaces what somebody else has written there.
	foreign := shop.Object(Of(first))
	if err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(foreign), client.FieldOwner("other"), client.ForceOwnership); err != nil {
		t.Fatal(err)
	}
	p = parentOf(t, c)
	wantError(t, p.Settle(t.Context(), c, second))
	wantLists("Secret,Service", "c")
	wantError(t, p.Remove(t.Context(), c))
	wantError(t, p.Remove(t.Context(), c))
	if parentOf(t, c).Exists() {
		t.Error("it is there still")
	}
}

// Of two runs at the same time, one ends before it has applied anything.
func TestTwoRuns(t *testing.T) {
	c := newCluster(interceptor.Funcs{})
	objects := decode(t, "v1 Service api/web")
	one, two := parentOf(t, c), parentOf(t, c)
	wantError(t, one.Extend(t.Context(), c, objects))
	wantError(t, two.Extend(t.Context(), c, objects), "configmap/shop in namespace api, has changed", "another run", "try again")

	two = parentOf(t, c)
	wantError(t, two.Extend(t.Context(), c, decode(t, "v1 Secret api/web")))
	wantError(t, one.Settle(t.Context(), c, objects), "has changed", "another run")
	wantError(t, one.Remove(t.Context(), c), "deleting the record of the set, configmap/shop")
	if p := parentOf(t, c); p.Listed.kinds() != "Secret,Service" {
		t.Errorf("it lists %q", p.Listed.kinds())
	}
}

// The error says which permission is missing, or that the namespace is.
func TestParentRefused(t *testing.T) {
	refusal := error(nil)
	c := newCluster(interceptor.Funcs{
		Get: func(_ context.Context, _ client.WithWatch, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
			return forbidden(o)
		},
		Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return refusal },
		Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
			return refusal
		},
		Delete: func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.DeleteOption) error {
			return forbidden(o)
		},
	})
	_, err := shop.Read(t.Context(), c)
	wantError(t, err, "permission is missing: verb get, resource configmaps, namespace api")
	refusal = forbidden(shop.key())
	absent, there := &Parent{Set: shop, Listed: Of(nil)}, &Parent{Set: shop, Listed: Of(nil), live: shop.key()}
	wantError(t, absent.Extend(t.Context(), c, nil), "permission is missing: verb create, resource configmaps, namespace api")
	wantError(t, there.Extend(t.Context(), c, decode(t, "v1 Service api/web")), "permission is missing: verb patch, resource configmaps, namespace api")
	wantError(t, there.Remove(t.Context(), c), "permission is missing: verb delete, resource configmaps, namespace api")
	if absent.Exists() || !there.Exists() {
		t.Error("a refused change counts as done")
	}
	for refusal, want := range map[error]bool{
		apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "api"):  true,
		apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "shop"): false,
		errors.New("refused"): false,
	} {
		c := newCluster(interceptor.Funcs{Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return refusal }})
		err := absent.Extend(t.Context(), c, nil)
		wantError(t, err, "writing the record of the set, configmap/shop in namespace api")
		if IsNoNamespace(err) != want {
			t.Errorf("%v: no namespace is %v", err, !want)
		}
	}
}

func TestRequestsForTheParent(t *testing.T) {
	var sent []kube.Object
	c := newCluster(interceptor.Funcs{Apply: func(_ context.Context, _ client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
		options := (&client.ApplyOptions{}).ApplyOptions(opts)
		if options.FieldManager != "ko-applyset" || options.Force == nil || !*options.Force {
			t.Errorf("applied with %+v", options)
		}
		sent = append(sent, o.(interface{ DeepCopy() kube.Object }).DeepCopy())
		return nil
	}}, shop.Object(Of(nil)))
	p := parentOf(t, c)
	wantError(t, p.Extend(t.Context(), c, nil))
	if len(sent) > 0 {
		t.Errorf("it lists all of them already, and was sent: %v", sent)
	}
	wantError(t, p.Extend(t.Context(), c, decode(t, "v1 Service api/web")))
	if len(sent) != 1 || sent[0].GetResourceVersion() == "" || sent[0].GetUID() != types.UID("") {
		t.Errorf("sent: %v", sent)
	}
}
