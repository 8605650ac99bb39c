//go:build apiserver

package apply_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kube"
)

// Who does not wait leaves members that a finalizer holds, and the record of them until
// they are gone.
func TestRecordOfWhatIsHeld(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	objects := append(decode(t, ns, front), plain(t, ns, "settings"), plain(t, ns, "gone"))
	mustApply(t, c, pruning(shopSet), objects...)
	hold := func(finalizers ...string) {
		t.Helper()
		for _, name := range []string{"settings", "gone"} {
			live, err := c.Live(t.Context(), plain(t, ns, name))
			if err != nil {
				t.Fatal(err)
			}
			live.SetFinalizers(finalizers)
			if err := c.Update(t.Context(), live); err != nil {
				t.Fatal(err)
			}
		}
	}
	named := func() []kube.Object { return append(decode(t, ns, front), plain(t, ns, "settings")) }
	hold("example.com/hold")
	opts := apply.DeleteOptions{Set: shopSet, IgnoreNotFound: true}
	for range 2 { // The second run finds both of them on their way out.
		r, _ := deleteNoting(t, c, opts, named()...)
		kept := r.done("kept")
		if r.err != nil || len(kept) != 1 || !strings.HasPrefix(kept[0], "configmap/shop kept: configmap/") ||
			!strings.HasSuffix(kept[0], " in namespace "+ns+" is a member of the set and still on its way out: once it is gone, ko delete -k --ignore-not-found deletes the record") {
			t.Errorf("error %v, %q", r.err, r.lines)
		}
		wantThere(t, c, true, record(shopSet, ns))
	}
	waiting := opts
	waiting.Wait, waiting.Timeout = true, time.Second
	r, _ := deleteNoting(t, c, waiting, named()...)
	wantError(t, r.err, "configmap/settings in namespace "+ns+" is still there, held by its finalizer example.com/hold", "configmap/gone in namespace "+ns+" is still there")
	wantThere(t, c, true, record(shopSet, ns))
	hold()
	eventually(t, "the objects to go", func() (bool, error) {
		live, err := c.LiveAll(t.Context(), []kube.Object{plain(t, ns, "settings"), plain(t, ns, "gone")})
		return !slices.ContainsFunc(live, func(o kube.Object) bool { return o != nil }), err
	})
	r, _ = deleteNoting(t, c, opts, named()...)
	if r.err != nil {
		t.Error(r.err)
	}
	wantLines(t, r.lines, "configmap/shop deleted")
	wantThere(t, c, false, record(shopSet, ns))
}

// A record in a namespace that is deleted with the set goes with it.
func TestRecordInANamespaceOfTheSet(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c) + "-own"
	own := decode(t, ns, `{apiVersion: v1, kind: Namespace, metadata: {name: NS}}`, settings)
	mustApply(t, c, pruning(shopSet), own...)
	r, _ := deleteNoting(t, c, apply.DeleteOptions{Set: shopSet}, decode(t, ns, `{apiVersion: v1, kind: Namespace, metadata: {name: NS}}`, settings)...)
	wantLines(t, r.lines, "configmap/settings deleted", "configmap/shop deleted", "namespace/"+ns+" deleted")
	if r.err != nil {
		t.Error(r.err)
	}
}
