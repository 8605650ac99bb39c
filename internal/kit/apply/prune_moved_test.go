//go:build apiserver

package apply_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// applyNoting applies objects, and returns the notes as well.
func applyNoting(t *testing.T, c *kube.Cluster, opts apply.Options, objects ...kube.Object) (*run, string) {
	t.Helper()
	r, notes := &run{}, &bytes.Buffer{}
	log := progress.New(notes)
	r.err = apply.Send(t.Context(), c, objects, opts, log, r.report)
	log.Close()
	return r, notes.String()
}

// deleteNoting deletes objects and their set, and returns the notes as well.
func deleteNoting(t *testing.T, c *kube.Cluster, opts apply.DeleteOptions, objects ...kube.Object) (*run, string) {
	t.Helper()
	r, notes := &run{}, &bytes.Buffer{}
	log := progress.New(notes)
	r.err = apply.Delete(t.Context(), c, objects, opts, log, r.report)
	log.Close()
	return r, notes.String()
}

// split makes a set with the record in one namespace and an object in another one.
func split(t *testing.T, c *kube.Cluster) (home, other string, rest kube.Object) {
	t.Helper()
	home, other = newNamespace(t, c), newNamespace(t, c)
	rest = plain(t, other, "rest")
	mustApply(t, c, pruning(shopSet), plain(t, home, "old"), plain(t, home, "older"), rest.DeepCopy())
	wantThere(t, c, true, record(shopSet, home))
	return home, other, rest
}

// When the last object in the namespace of the record is gone from the kustomization, the
// set is found by the label of the others.
func TestSetWithoutObjectsWhereItsRecordIs(t *testing.T) {
	c := apitest.Cluster(t)
	home, other, rest := split(t, c)
	mustApply(t, c, plainly(shopSet), plain(t, other, "new"), rest.DeepCopy()) // It joins the set.
	for _, want := range [][]string{{"configmap/new pruned", "configmap/old pruned", "configmap/older pruned"}, nil} {
		r, notes := applyNoting(t, c, pruning(shopSet), rest.DeepCopy())
		wantLines(t, r.done("pruned"), want...)
		if r.err != nil || strings.Contains(notes, "set") {
			t.Errorf("error %v, notes %q", r.err, notes)
		}
	}
	wantThere(t, c, false, record(shopSet, other))
	r := deleteWith(t, c, shopSet, rest.DeepCopy())
	wantLines(t, r.lines, "configmap/rest deleted", "configmap/shop deleted")
	wantThere(t, c, false, record(shopSet, home))
}

// Deleting finds the set as well, with what is gone from the kustomization.
func TestDeleteWithoutObjectsWhereTheRecordIs(t *testing.T) {
	c := apitest.Cluster(t)
	_, _, rest := split(t, c)
	r := deleteWith(t, c, shopSet, rest.DeepCopy())
	wantLines(t, r.lines, "configmap/old deleted", "configmap/older deleted", "configmap/rest deleted", "configmap/shop deleted")
}

// Another deployment of the same kustomization may share an object with this one. It is
// not taken for this one, so that nothing of it is pruned, unless somebody says so.
func TestSetThatMayHaveMoved(t *testing.T) {
	c := apitest.Cluster(t)
	home, shared, rest := split(t, c)
	ns := newNamespace(t, c)
	r := applyWith(t.Context(), c, pruning(shopSet), plain(t, ns, "old"), rest.DeepCopy())
	wantError(t, r.err, "nothing was changed in the cluster: ", "configmap/rest in namespace "+shared+" is part of the set whose record is configmap/shop in namespace "+home,
		"that set has nothing in namespace "+ns+": ", "--applyset "+home+"/shop")
	r, notes := deleteNoting(t, c, apply.DeleteOptions{Wait: true, Set: shopSet, IgnoreNotFound: true}, plain(t, ns, "old"))
	if r.err != nil || strings.Contains(notes, "set") {
		t.Errorf("error %v, notes %q", r.err, notes)
	}
	wantThere(t, c, true, plain(t, home, "old"), rest, record(shopSet, home))

	explicit := applyset.Set{Name: "shop", Namespace: home}
	mustApply(t, c, pruning(explicit), plain(t, ns, "old"), rest.DeepCopy())
	wantThere(t, c, false, plain(t, home, "old"), plain(t, home, "older"))
	r = mustApply(t, c, pruning(shopSet), plain(t, ns, "old")) // By now, the set is known to be there.
	wantLines(t, r.lines, "configmap/old unchanged", "configmap/rest pruned")
}

// If no object is left that shows which set it is, the new one is said to be new, and how
// to delete the old one.
func TestSetThatHasMovedAltogether(t *testing.T) {
	c := apitest.Cluster(t)
	set := applyset.Set{Name: "moved", Version: "v1"}
	from, to := newNamespace(t, c), newNamespace(t, c)
	mustApply(t, c, pruning(set), plain(t, from, "settings"))
	r, notes := applyNoting(t, c, pruning(set), plain(t, to, "settings"))
	if want := "there is a set moved in namespace " + from + ", too: if the kustomization has moved from there, ko delete -k with --applyset " + from + "/moved deletes what is left there"; r.err != nil || !strings.Contains(notes, want) {
		t.Errorf("error %v, notes %q, want %q", r.err, notes, want)
	}
	wantThere(t, c, true, plain(t, from, "settings"), plain(t, to, "settings"))
	r = deleteWith(t, c, applyset.Set{Name: "moved", Namespace: from}, plain(t, to, "settings"))
	wantLines(t, r.lines, "configmap/settings deleted", "configmap/settings kept: it is part of another set", "configmap/moved deleted")
	wantThere(t, c, false, plain(t, from, "settings"), record(set, from))
	wantThere(t, c, true, plain(t, to, "settings"), record(set, to))
}

// Who may not look for the record in the whole cluster is told what is not known.
func TestSearchWithoutPermissions(t *testing.T) {
	c := apitest.Cluster(t)
	home, other, rest := split(t, c)
	user := userOf(t, c, other, allOfServices+strings.Replace(theParent, "get,", "get, list,", 1))
	r := applyWith(t.Context(), user, pruning(shopSet), rest.DeepCopy())
	wantError(t, r.err, "nothing was changed in the cluster: ", "configmap/rest in namespace "+other+" is part of a set whose record is in none of the namespaces "+other,
		"say where its record is with --applyset NAMESPACE/shop: this user may not list ConfigMaps in the whole cluster")
	mustApply(t, user, plainly(shopSet), rest.DeepCopy())
	live, err := c.Live(t.Context(), rest)
	if err != nil || live.GetLabels()[applyset.PartOfLabel] != (applyset.Set{Name: "shop", Namespace: home}).ID() {
		t.Errorf("error %v, labels %v", err, live.GetLabels())
	}
	r, notes := deleteNoting(t, user, apply.DeleteOptions{Wait: true, Set: shopSet}, rest.DeepCopy())
	if r.err != nil || !strings.Contains(notes, "only what the kustomization has is deleted: configmap/rest in namespace "+other+" is part of a set whose record") {
		t.Errorf("error %v, notes %q", r.err, notes)
	}
	r, notes = applyNoting(t, user, pruning(shopSet), rest.DeepCopy())
	if r.err != nil || !strings.Contains(notes, "whether it had objects in other namespaces before is not known, because this user may not list ConfigMaps") {
		t.Errorf("error %v, notes %q", r.err, notes)
	}

	// The namespace of the context is one that may be asked.
	mustApply(t, c, pruning(shopSet), plain(t, home, "old"))
	here, away, both := split(t, c)
	for _, namespace := range []string{here, away} {
		for _, o := range decode(t, namespace,
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: more, namespace: NS}, rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]}`,
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: more, namespace: NS}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: more}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: `+other+`}]}`) {
			by(t, c, "test", o)
		}
	}
	user.Namespace = here
	eventually(t, "the permissions", func() (bool, error) {
		_, err := user.Live(t.Context(), both)
		return err == nil, nil
	})
	r = mustApply(t, user, pruning(shopSet), both.DeepCopy())
	wantLines(t, r.lines, "configmap/rest unchanged", "configmap/old pruned", "configmap/older pruned")
}
