//go:build apiserver

package apply_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kube"
)

// world is what there is in two namespaces, and of cluster-wide kinds named after them.
type world struct {
	cluster   *kube.Cluster
	namespace string
	kinds     []schema.GroupVersionKind
	foreign   map[string]string // resource versions of what others made
}

// newWorld makes two namespaces in which others have objects of every kind: by another
// manager, by hand, by us without a set, and in another set.
func newWorld(t *testing.T, c *kube.Cluster) *world {
	t.Helper()
	w := &world{cluster: c, namespace: newNamespace(t, c)}
	by(t, c, "test", decode(t, w.namespace, `{apiVersion: v1, kind: Namespace, metadata: {name: NS-b}}`)[0])
	t.Cleanup(func() { w.clean(t) })
	kinds := map[schema.GroupVersionKind]bool{}
	for i, piece := range pieces {
		text := func(owner string) kube.Object {
			place := w.namespace + []string{"", "-b"}[i%2]
			return decode(t, w.namespace, strings.NewReplacer("NAME", owner, "PLACE", place, "VERSION", "1").Replace(piece))[0]
		}
		kinds[text("x").GroupVersionKind()] = true
		by(t, c, "helm", text("helm"))
		if err := c.Create(t.Context(), text("hand"), client.FieldOwner("kubectl-create")); err != nil {
			t.Fatal(err)
		}
		mustApply(t, c, plainly(applyset.Set{}), text("unlabelled"))
	}
	mustApply(t, c, pruning(applyset.Set{Name: "another", Namespace: w.namespace}), decode(t, w.namespace, strings.NewReplacer("NAME", "other", "PLACE", w.namespace, "VERSION", "1").
		Replace(strings.Join(pieces, "\n---\n")))...)
	// Another kustomization may have a generator of the same name.
	alike := &overlay{dir: t.TempDir(), namespace: w.namespace, color: map[string]int{"configMap": 9, "secret": 9}}
	mustApply(t, c, plainly(applyset.Set{}), slices.DeleteFunc(alike.render(t), func(o kube.Object) bool { return o.GetName() == "always" })...)
	w.kinds = slices.Collect(maps.Keys(kinds))
	w.foreign = w.settled(t)
	return w
}

// clean removes what is in no namespace that goes by itself.
func (w *world) clean(t *testing.T) {
	apitest.Kubectl(t, "", "delete", "--wait=false", "namespace/"+w.namespace+"-b")
	for _, owner := range []string{"helm", "hand", "unlabelled", "other"} {
		apitest.Kubectl(t, "", "delete", "--wait=false", "clusterrole/"+w.namespace+"-"+owner)
	}
}

// settled returns what there is once controllers have written the status of all of it.
func (w *world) settled(t *testing.T) map[string]string {
	t.Helper()
	var last map[string]string
	eventually(t, "the objects of others to stay as they are", func() (bool, error) {
		now, before := w.there(t), last
		last = now
		return maps.Equal(now, before), nil
	})
	return last
}

// there returns what there is of all kinds: its generation and labels, but of what
// controllers make nothing.
func (w *world) there(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, kind := range w.kinds {
		for _, namespace := range []string{w.namespace, w.namespace + "-b"} {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
			if err := w.cluster.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
				t.Fatal(err)
			}
			for _, o := range list.Items {
				isIts := o.GetNamespace() != "" || strings.HasPrefix(strings.NewReplacer("x-", "", "y-", "").Replace(o.GetName()), w.namespace+"-")
				ofCluster := o.GetName() == "kube-root-ca.crt" || o.GetName() == "default" && kind.Kind == "ServiceAccount"
				if isIts && !ofCluster && o.GetDeletionTimestamp() == nil {
					found[kube.NameIn(&o)] = fmt.Sprint(o.GetUID(), o.GetGeneration(), o.GetLabels(), o.Object["data"])
				}
			}
		}
	}
	return found
}

// check fails the test unless there are the objects, as they were rendered, and what
// others made, as it was; and nothing else.
func (w *world) check(t *testing.T, objects []kube.Object) {
	t.Helper()
	there := w.there(t)
	for name, was := range w.foreign {
		if there[name] != was {
			t.Errorf("%s of others was %s and is %q", name, was, there[name])
		}
		delete(there, name)
	}
	id := applyset.ID(applyset.ParentKind, w.namespace, shopSet.Name)
	for _, o := range objects {
		live, err := w.cluster.Live(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if live == nil || live.GetLabels()[applyset.PartOfLabel] != id {
			t.Errorf("%s was rendered, and is %v", kube.NameIn(o), live)
		} else if field := lacks(live.Object, o.Object); field != "" {
			t.Errorf("%s is not as it was rendered in %s: %v", kube.NameIn(o), field, live)
		}
		delete(there, kube.NameIn(o))
	}
	if objects != nil {
		delete(there, kube.NameIn(record(shopSet, w.namespace)))
	}
	for name, is := range there {
		t.Errorf("%s is still there: %s", name, is)
	}
}

// lacks returns a field of what is wanted that is otherwise, or "".
func lacks(live, wanted any) string {
	switch wanted := wanted.(type) {
	case map[string]any:
		fields, _ := live.(map[string]any)
		for name, value := range wanted {
			if name == "stringData" { // The API server makes data of it.
				continue
			}
			if field := lacks(fields[name], value); field != "" {
				return name + "." + field
			}
		}
	case []any:
		items, _ := live.([]any)
		if len(items) != len(wanted) {
			return "length"
		}
		for i := range wanted {
			if field := lacks(items[i], wanted[i]); field != "" {
				return field
			}
		}
	default:
		if fmt.Sprint(live) != fmt.Sprint(wanted) {
			return fmt.Sprint(wanted)
		}
	}
	return ""
}
