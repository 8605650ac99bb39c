package applyset

import (
	"context"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// What has changed since it was found is judged again before it is deleted.
func TestPruneOfWhatHasChanged(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(kube.Object) // nil deletes it
		kept      string
		left      bool
	}{
		"nothing":              {func(kube.Object) {}, "", false},
		"its status":           {func(o kube.Object) { o.Object["status"] = map[string]any{"replicas": int64(1)} }, "", false},
		"gone":                 {nil, "", false},
		"no longer of the set": {func(o kube.Object) { o.SetLabels(nil) }, "it is not part of this set any more", true},
		"taken over":           {func(o kube.Object) { with(o, PartOfLabel, "applyset-x-v1") }, "it is not part of this set any more", true},
		"given an owner": {func(o kube.Object) {
			o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: "Web", Name: "web", UID: "1"}})
		}, "web.example.com/web owns it, and it goes with that", true},
	} {
		t.Run(name, func(t *testing.T) {
			o := members(t, "apps/v1 Deployment api/old")[0]
			c := newCluster(interceptor.Funcs{}, o)
			gone := live(t, c, o)
			if now := gone.DeepCopy(); test.meanwhile == nil {
				wantError(t, c.Delete(t.Context(), now))
			} else {
				test.meanwhile(now)
				wantError(t, c.Update(t.Context(), now))
			}
			kept, err := (&Parent{Set: shop}).Prune(t.Context(), c, gone)
			if err != nil || kept != test.kept {
				t.Errorf("error %v, kept because %q, want %q", err, kept, test.kept)
			}
			if left := live(t, c, o) != nil; left != test.left {
				t.Errorf("it is there: %v, want %v", left, test.left)
			}
		})
	}
}

// An object that was deleted and made anew is another one, whatever its label.
func TestPruneOfWhatWasMadeAnew(t *testing.T) {
	o := members(t, "v1 ConfigMap api/old")[0]
	c := newCluster(interceptor.Funcs{}, o)
	gone := live(t, c, o)
	wantError(t, c.Delete(t.Context(), gone.DeepCopy()))
	anew := o.DeepCopy()
	anew.SetUID("another")
	anew.Object["data"] = map[string]any{"color": "blue"}
	wantError(t, c.Create(t.Context(), anew))
	anew.Object["data"] = map[string]any{"color": "red"}
	wantError(t, c.Update(t.Context(), anew))
	kept, err := (&Parent{Set: shop}).Prune(t.Context(), c, gone)
	if err != nil || kept != "it was made anew meanwhile" || live(t, c, o) == nil {
		t.Errorf("error %v, kept because %q", err, kept)
	}
}

// A request names the very object, and takes the pods of a workload first.
func TestRequestsToPrune(t *testing.T) {
	for text, want := range map[string]metav1.DeletionPropagation{
		"apps/v1 Deployment api/old": metav1.DeletePropagationForeground, "v1 ConfigMap api/old": metav1.DeletePropagationBackground,
	} {
		var sent []*client.DeleteOptions
		o := members(t, text)[0]
		c := newCluster(interceptor.Funcs{Delete: func(_ context.Context, _ client.WithWatch, _ client.Object, opts ...client.DeleteOption) error {
			sent = append(sent, (&client.DeleteOptions{}).ApplyOptions(opts))
			return nil
		}}, o)
		gone := live(t, c, o)
		if kept, err := (&Parent{Set: shop}).Prune(t.Context(), c, gone); err != nil || kept != "" || len(sent) != 1 {
			t.Fatalf("error %v, kept because %q, sent %v", err, kept, sent)
		}
		only := sent[0].Preconditions
		if only == nil || *only.UID != gone.GetUID() || *only.ResourceVersion != gone.GetResourceVersion() || gone.GetResourceVersion() == "" || *sent[0].PropagationPolicy != want {
			t.Errorf("%s: %v, of %+v", text, *sent[0].PropagationPolicy, only)
		}
	}
}

func TestPruneRefused(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "services"}, "old", nil)
	for name, test := range map[string]struct {
		of       string
		refusal  func(client.Object) error
		kept     string
		want     []string // parts of the error; empty if there must be no error
		requests int
	}{
		"no right": {"v1 Service api/old", forbidden, "", []string{"permission is missing: verb delete, resource services, namespace api;"}, 1},
		"no right, of a kind the cluster has not": {"example.com/v1 Web api/old", forbidden, "", []string{"resource Web.example.com, namespace api;"}, 1},
		"a given namespace":                       {"v1 Namespace old", forbidden, "this user may not delete it", nil, 1},
		"gone":                                    {"v1 Service api/old", func(client.Object) error { return apierrors.NewNotFound(schema.GroupResource{}, "old") }, "", nil, 1},
		"another refusal":                         {"v1 Service api/old", func(client.Object) error { return apierrors.NewBadRequest("no") }, "", []string{"pruning service/old in namespace api: no"}, 1},
		"changed all the time":                    {"v1 Service api/old", func(client.Object) error { return conflict }, "", []string{"pruning service/old in namespace api: "}, pruneAttempts},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			o := members(t, test.of)[0]
			c := newCluster(interceptor.Funcs{Delete: func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.DeleteOption) error {
				requests++
				return test.refusal(o)
			}}, o)
			kept, err := (&Parent{Set: shop}).Prune(t.Context(), c, o)
			wantError(t, err, test.want...)
			if kept != test.kept || requests != test.requests {
				t.Errorf("kept because %q after %d requests", kept, requests)
			}
		})
	}
}

// Members go one after the other, and the next run finds nothing.
func TestPruneWhatIsFound(t *testing.T) {
	present, gone := members(t, "v1 Service api/web"), members(t, "v1 ConfigMap b/old", "apps/v1 Deployment api/old")
	c := newCluster(interceptor.Funcs{}, slices.Concat(present, gone)...)
	p := parentOf(t, c)
	wantError(t, p.Extend(t.Context(), c, slices.Concat(present, gone)))
	for _, want := range []int{2, 0} {
		found, err := p.Find(t.Context(), c, present)
		if err != nil || len(found.Gone) != want || len(found.Kept) != 0 {
			t.Fatalf("error %v, found %v, want %d", err, found, want)
		}
		for _, o := range found.Gone {
			if kept, err := p.Prune(t.Context(), c, o); kept != "" || err != nil {
				t.Errorf("%s: error %v, kept because %q", kube.Name(o), err, kept)
			}
		}
	}
	if live(t, c, present[0]) == nil {
		t.Error("a present object was pruned")
	}
}
