//go:build apiserver

package apply_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kube"
)

// withBrokenRecord is a cluster in which something is wrong with changes of the record.
func withBrokenRecord(c *kube.Cluster, wrong fault) *kube.Cluster {
	clone := *c
	clone.WithWatch = interceptor.NewClient(c.WithWatch, interceptor.Funcs{
		Apply: func(ctx context.Context, w client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if named, ok := o.(interface{ GetName() string }); ok && named.GetName() == shopSet.Name {
				return wrong(ctx, func() error { return w.Apply(ctx, o, opts...) })
			}
			return w.Apply(ctx, o, opts...)
		},
	})
	return &clone
}

// A run of which only the last change of the record fails has done all that it should:
// the record lists too much, and the next run corrects it.
func TestPruneWithoutTheLastRecord(t *testing.T) {
	c := apitest.Cluster(t)
	for name, wrong := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := newNamespace(t, c)
			mustApply(t, c, pruning(shopSet), append(decode(t, ns, front), plain(t, ns, "settings"))...)
			r, notes := applyNoting(t, withBrokenRecord(c, wrong), pruning(shopSet), plain(t, ns, "settings"))
			if r.err != nil || !strings.Contains(notes, "everything is applied and pruned, but the record of the set may still list kinds") {
				t.Errorf("error %v, notes %q", r.err, notes)
			}
			wantLines(t, r.lines, "configmap/settings unchanged", "service/web pruned")
			wantThere(t, c, false, decode(t, ns, front)...)
			mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"))
			live, err := c.Live(t.Context(), record(shopSet, ns))
			if err != nil || live.GetAnnotations()[applyset.KindsAnnotation] != "ConfigMap" {
				t.Errorf("error %v, the record is %v", err, live)
			}
		})
	}
}

// If the record is gone or does not list what the run has applied, that is a failure, and
// undone: the next run would not know of it.
func TestPruneWithAnotherRecord(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	mustApply(t, c, pruning(shopSet), append(decode(t, ns, front), plain(t, ns, "settings"))...)
	broken := withBrokenRecord(c, func(ctx context.Context, _ func() error) error {
		if err := c.Delete(ctx, record(shopSet, ns)); err != nil {
			return err
		}
		return errInjected
	})
	r := applyWith(t.Context(), broken, pruning(shopSet), plain(t, ns, "settings"))
	wantError(t, r.err, "undone: ", errInjected.Error())
	wantThere(t, c, true, decode(t, ns, front)...)
}
