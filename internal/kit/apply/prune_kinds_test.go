//go:build apiserver

package apply_test

import (
	"context"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kube"
)

// Of what a set makes itself, a kind and an object of it, the object is pruned, and the
// definition is kept until the set is deleted.
func TestPruneOfAKind(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	group := ns + ".example.com"
	kind := decode(t, ns, `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: webs.NS.example.com}, spec: {
		group: NS.example.com, scope: Namespaced, names: {kind: Web, plural: webs}, versions: [{name: v1, served: true, storage: true,
		schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}`)[0]
	site := decode(t, ns, `{apiVersion: NS.example.com/v1, kind: Web, metadata: {name: site, namespace: NS}}`)[0]
	t.Cleanup(func() { _ = c.Delete(context.Background(), kind.DeepCopy()) }) // It may be gone.
	mustApply(t, c, pruning(shopSet), kind.DeepCopy(), site.DeepCopy(), plain(t, ns, "settings"))

	r := mustApply(t, c, pruning(shopSet), kind.DeepCopy(), plain(t, ns, "settings"))
	wantLines(t, r.done("pruned"), "web."+group+"/site pruned")
	for range 2 { // It is said in every run.
		r = mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"))
		if kept := r.done("kept"); len(kept) != 1 || !strings.Contains(kept[0], kube.Name(kind)+" kept: it is gone from the kustomization, and with it goes every object of its kind") {
			t.Errorf("kept: %q", kept)
		}
	}
	r = deleteWith(t, c, shopSet, plain(t, ns, "settings"))
	wantLines(t, r.lines, "configmap/settings deleted", "configmap/shop deleted", kube.Name(kind)+" deleted")
	wantThere(t, c, false, kind)
}

// A claim keeps its data until the set is deleted.
func TestPruneKeepsClaims(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	claim := decode(t, ns, `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: NS}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`)[0]
	mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"))
	mustApply(t, c, plainly(shopSet), plain(t, ns, "settings"), claim.DeepCopy()) // Without a volume, it never gets ready.
	r := mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"))
	wantLines(t, r.lines, "configmap/settings unchanged", "persistentvolumeclaim/data kept: it is gone from the kustomization, and with it goes its data: "+
		"delete it with kubectl, or all of the set with ko delete -k")
	r = deleteWith(t, c, shopSet, plain(t, ns, "settings"))
	wantLines(t, r.lines, "configmap/settings deleted", "configmap/shop deleted", "persistentvolumeclaim/data deleted")
}

// Of two runs on a set at the same time, one changes nothing.
func TestTwoRunsAtTheSameTime(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"))
	opts := pruning(shopSet)
	opts.Accepted = func(context.Context) error {
		mustApply(t, c, pruning(shopSet), append(decode(t, ns, front), plain(t, ns, "settings"))...)
		return nil
	}
	r := applyWith(t.Context(), c, opts, append(decode(t, ns, idle), plain(t, ns, "settings"))...)
	wantError(t, r.err, "the cluster is as it was: the record of the set, configmap/shop in namespace "+ns+", has changed since it was read: another run works on this set")
	wantThere(t, c, true, decode(t, ns, front)...)
	wantThere(t, c, false, decode(t, ns, idle)...)
	// One that notices only at the end undoes what it did, but not what the other did.
	opts.Accepted = func(context.Context) error {
		mustApply(t, c, pruning(shopSet), append(decode(t, ns, front, idle), plain(t, ns, "settings"))...)
		return nil
	}
	r = applyWith(t.Context(), c, opts, append(decode(t, ns, front), plain(t, ns, "settings"))...)
	wantError(t, r.err, "undone: the cluster is as it was: the record of the set", "another run")
	wantThere(t, c, true, decode(t, ns, front, idle)...)
}
