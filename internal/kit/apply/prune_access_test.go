//go:build apiserver

package apply_test

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kube"
)

// userOf gives a user, named as the namespace, permissions there.
func userOf(t *testing.T, c *kube.Cluster, namespace, rules string) *kube.Cluster {
	t.Helper()
	for _, o := range decode(t, namespace,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: some, namespace: NS}, rules: [`+rules+`]}`,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: some, namespace: NS}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: some}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: NS}]}`) {
		by(t, c, "test", o)
	}
	user := apitest.As(t, namespace)
	eventually(t, "the permissions", func() (bool, error) {
		_, err := user.Live(t.Context(), decode(t, namespace, front)[0])
		return err == nil, nil
	})
	return user
}

const (
	allOfServices = `{apiGroups: [""], resources: [services], verbs: [get, list, create, patch, update, delete]}`
	someServices  = `{apiGroups: [""], resources: [services], verbs: [get, create, patch]}`
	theParent     = `, {apiGroups: [""], resources: [configmaps], verbs: [get, create, patch, delete]}`
	readParent    = `, {apiGroups: [""], resources: [configmaps], verbs: [get]}`
)

// Who lacks a permission for --prune is told which, before anything is changed.
func TestPruneWithoutPermissions(t *testing.T) {
	c := apitest.Cluster(t)
	for name, test := range map[string]struct {
		rules string
		want  []string
	}{
		"to read the parent":  {allOfServices, []string{"verb get, resource configmaps, namespace NS"}},
		"to write the parent": {allOfServices + readParent, []string{"verb patch, resource configmaps, namespace NS"}},
		"to list":             {someServices + theParent, []string{"verb list, resource services, namespace NS"}},
		"to delete":           {strings.Replace(allOfServices, ", delete", "", 1) + theParent, []string{"verb delete, resource services, namespace NS"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := newNamespace(t, c)
			objects := decode(t, ns, front, strings.ReplaceAll(front, "name: web", "name: old"))
			mustApply(t, c, pruning(shopSet), decode(t, ns, front, strings.ReplaceAll(front, "name: web", "name: old"))...)
			before := snapshot(t, c, append(objects, record(shopSet, ns)))
			r := applyWith(t.Context(), userOf(t, c, ns, test.rules), pruning(shopSet), decode(t, ns, strings.ReplaceAll(front, "80", "81"))...)
			for _, want := range test.want {
				wantError(t, r.err, "nothing was changed in the cluster: ", "permission is missing: "+strings.ReplaceAll(want, "NS", ns)+"; ask those who run the cluster for it")
			}
			wantSame(t, before, snapshot(t, c, append(objects, record(shopSet, ns))))
		})
	}
}

// Who has these permissions needs no others, and who has not can apply and delete as if
// there was no set.
func TestPruneWithFewPermissions(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	user := userOf(t, c, ns, allOfServices+theParent)
	old := decode(t, ns, strings.ReplaceAll(front, "name: web", "name: old"))
	mustApply(t, user, pruning(shopSet), append(old, decode(t, ns, front)...)...)
	r := mustApply(t, user, pruning(shopSet), decode(t, ns, front)...)
	wantLines(t, r.lines, "service/web unchanged", "service/old pruned")
	mustApply(t, user, pruning(shopSet), append(old, decode(t, ns, front)...)...)

	other := userOf(t, c, ns, allOfServices)
	eventually(t, "the permissions to go", func() (bool, error) {
		_, err := other.Live(t.Context(), record(shopSet, ns))
		return err != nil, nil
	})
	mustApply(t, other, plainly(shopSet), decode(t, ns, front)...)
	r = deleteWith(t, other, shopSet, decode(t, ns, front)...)
	wantLines(t, r.lines, "service/web deleted")
	if r.err != nil {
		t.Error(r.err)
	}
	wantThere(t, c, true, append(old, record(shopSet, ns))...)
	r = deleteWith(t, c, shopSet, decode(t, ns, front)...)
	wantError(t, r.err, "deleting service/web: ", "not found")
	wantLines(t, r.lines, "service/old deleted", "configmap/shop deleted")
}

// Who may read the record and not change it can apply without --prune, also what is of a
// kind that the record does not list yet.
func TestPlainApplyOfAReader(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"))
	r := mustApply(t, userOf(t, c, ns, allOfServices+readParent), plainly(shopSet), decode(t, ns, front)...)
	wantLines(t, r.lines, "service/web created")
}

// Who may not list what the set has deletes what the kustomization names, is told of
// the rest, and leaves the record of it.
func TestDeleteOfASetWithoutPermissions(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	mustApply(t, c, pruning(shopSet), append(decode(t, ns, front), plain(t, ns, "old"))...)
	r := deleteWith(t, userOf(t, c, ns, allOfServices+readParent), shopSet, decode(t, ns, front)...)
	wantError(t, r.err, "what is gone from the kustomization is still there, and configmap/shop in namespace "+ns+", the record of it: ",
		"permission is missing: verb list, resource configmaps, namespace "+ns)
	wantLines(t, r.lines, "service/web deleted")
	wantThere(t, c, true, plain(t, ns, "old"), record(shopSet, ns))
}

// A namespace that was given is no member: its user may not give it the label.
func TestPruneInAGivenNamespace(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	user := userOf(t, c, ns, allOfServices+theParent)
	for _, o := range decode(t, ns,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: more, namespace: NS}, rules: [{apiGroups: [""], resources: [namespaces], verbs: [get]}]}`,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: more, namespace: NS}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: more}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: NS}]}`) {
		by(t, c, "test", o)
	}
	namespace := decode(t, ns, `{apiVersion: v1, kind: Namespace, metadata: {name: NS}}`)[0]
	eventually(t, "the permissions", func() (bool, error) {
		_, err := user.Live(t.Context(), namespace)
		return err == nil, nil
	})
	before := snapshot(t, c, []kube.Object{namespace})
	r := mustApply(t, user, pruning(shopSet), append(decode(t, ns, front, strings.ReplaceAll(front, "name: web", "name: old")), namespace.DeepCopy())...)
	wantLines(t, r.done("unchanged"), "namespace/"+ns+" unchanged")
	r = mustApply(t, user, pruning(shopSet), append(decode(t, ns, front), namespace.DeepCopy())...)
	wantLines(t, r.lines, "namespace/"+ns+" unchanged", "service/web unchanged", "service/old pruned")
	wantSame(t, before, snapshot(t, c, []kube.Object{namespace}))
	r = deleteWith(t, user, shopSet, append(decode(t, ns, front), namespace.DeepCopy())...)
	wantLines(t, r.lines, "service/web deleted", "namespace/"+ns+" kept", "configmap/shop deleted")
}
