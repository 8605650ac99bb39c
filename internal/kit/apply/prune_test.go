//go:build apiserver

package apply_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kube"
)

// What is gone from the kustomization goes once everything else is ready, and nothing
// that others made, or that is part of another set.
func TestPrune(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	foreign := plain(t, ns, "foreign")
	by(t, c, "helm", foreign)
	unlabelled := plain(t, ns, "unlabelled") // We have applied it, but not in the set.
	mustApply(t, c, plainly(applyset.Set{}), unlabelled)
	other := plain(t, ns, "others")
	mustApply(t, c, pruning(applyset.Set{Name: "other"}), other)

	old, before := plain(t, ns, "old"), decode(t, ns, settings, front)
	mustApply(t, c, pruning(shopSet), append(before, old)...)
	r := mustApply(t, c, pruning(shopSet), decode(t, ns, settings, idle)...)
	wantLines(t, r.lines, "configmap/old pruned", "configmap/settings unchanged", "deployment.apps/web created", "service/web pruned")
	if last := r.lines[len(r.lines)-2:]; !slices.Equal(last, []string{"service/web pruned", "configmap/old pruned"}) {
		t.Errorf("at the end, %q", last)
	}
	wantThere(t, c, false, append(decode(t, ns, front), old)...)
	wantThere(t, c, true, append(decode(t, ns, settings, idle), foreign, unlabelled, other)...)
	parent, err := c.Live(t.Context(), record(shopSet, ns))
	if err != nil || parent.GetAnnotations()[applyset.KindsAnnotation] != "ConfigMap,Deployment.apps" {
		t.Errorf("error %v, the parent is %v", err, parent)
	}

	r = mustApply(t, c, pruning(shopSet), decode(t, ns, settings, idle)...)
	wantLines(t, r.lines, "configmap/settings unchanged", "deployment.apps/web unchanged")
}

// As long as something is not ready, nothing is pruned, and the next run finds it.
func TestPruneOnlyWhenReady(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	old := plain(t, ns, "old")
	mustApply(t, c, pruning(shopSet), append(decode(t, ns, settings), old)...)
	never := decode(t, ns, settings, strings.ReplaceAll(idle, "replicas: 0", "replicas: 1")) // There is no node.
	for _, atomic := range []bool{false, true} {
		opts := pruning(shopSet)
		opts.Atomic, opts.Timeout = atomic, time.Second
		r := applyWith(t.Context(), c, opts, never...)
		wantError(t, r.err, map[bool]string{false: "kept: ", true: "undone: "}[atomic], "deployment.apps/web")
		wantLines(t, r.done("pruned"))
		wantThere(t, c, true, old)
	}
	r := mustApply(t, c, pruning(shopSet), decode(t, ns, settings)...)
	wantLines(t, r.done("pruned"), "configmap/old pruned", "deployment.apps/web pruned")
}

// Without --prune, members stay members, and new objects become some.
func TestPlainApplyOfASet(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	mustApply(t, c, plainly(shopSet), plain(t, ns, "settings"))
	wantThere(t, c, false, record(shopSet, ns))
	mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"), plain(t, ns, "old"))

	r := mustApply(t, c, plainly(shopSet), append(decode(t, ns, front), plain(t, ns, "settings"))...)
	wantLines(t, r.lines, "configmap/settings unchanged", "service/web created")
	wantThere(t, c, true, plain(t, ns, "old"))

	// One that does not know the set takes nothing out of it.
	mustApply(t, c, plainly(applyset.Set{}), decode(t, ns, front)...)
	r = mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"))
	wantLines(t, r.lines, "configmap/old pruned", "configmap/settings unchanged", "service/web pruned")
}

// Two kustomizations of one namespace have two sets; an object is in one of them.
func TestTwoSetsInOneNamespace(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	mustApply(t, c, pruning(applyset.Set{Name: "one"}), plain(t, ns, "a"), plain(t, ns, "b"))
	mustApply(t, c, pruning(applyset.Set{Name: "two"}), plain(t, ns, "c"), plain(t, ns, "d"))

	before := snapshot(t, c, []kube.Object{plain(t, ns, "a"), record(applyset.Set{Name: "two"}, ns)})
	r := applyWith(t.Context(), c, pruning(applyset.Set{Name: "two"}), plain(t, ns, "c"), plain(t, ns, "a"))
	wantError(t, r.err, "nothing was changed in the cluster: configmap/a in namespace "+ns+" is part of another set")
	wantSame(t, before, snapshot(t, c, []kube.Object{plain(t, ns, "a"), record(applyset.Set{Name: "two"}, ns)}))

	r = mustApply(t, c, pruning(applyset.Set{Name: "one"}), plain(t, ns, "a"))
	wantLines(t, r.done("pruned"), "configmap/b pruned")
	wantThere(t, c, true, plain(t, ns, "c"), plain(t, ns, "d"))
	r = deleteWith(t, c, applyset.Set{Name: "two"}, plain(t, ns, "c"))
	wantLines(t, r.lines, "configmap/c deleted", "configmap/d deleted", "configmap/two deleted")
	wantThere(t, c, true, plain(t, ns, "a"), record(applyset.Set{Name: "one"}, ns))
}

// A set may make the namespace in which its parent is, and others.
func TestSetWithItsOwnNamespace(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c) + "-own"
	own := decode(t, ns, `{apiVersion: v1, kind: Namespace, metadata: {name: NS}}`, settings, strings.ReplaceAll(settings, "settings", "more"))
	more := decode(t, ns, `{apiVersion: v1, kind: Namespace, metadata: {name: NS-b}}`, strings.ReplaceAll(settings, "NS", "NS-b"))
	t.Cleanup(func() {
		if err := client.IgnoreNotFound(c.Delete(context.Background(), more[0])); err != nil {
			t.Error(err)
		}
	})
	r := mustApply(t, c, pruning(shopSet), append(slices.Clone(own), more...)...)
	wantLines(t, r.lines, "configmap/more created", "configmap/settings created", "configmap/settings created", "namespace/"+ns+" created", "namespace/"+ns+"-b created", "configmap/shop created")
	wantThere(t, c, true, record(shopSet, ns))

	r = mustApply(t, c, pruning(shopSet), own[:2]...)
	wantLines(t, r.done("pruned"), "configmap/more pruned", "configmap/settings pruned")
	wantLines(t, r.done("kept"), "namespace/"+ns+"-b kept: it is gone from the kustomization, and with it goes everything in it: "+
		"delete it with kubectl, or all of the set with ko delete -k")

	r = deleteWith(t, c, shopSet, own[:2]...)
	if r.err != nil {
		t.Error(r.err)
	}
	wantThere(t, c, false, own[0], more[0], record(shopSet, ns))
}
