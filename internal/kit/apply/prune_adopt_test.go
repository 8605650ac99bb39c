//go:build apiserver

package apply_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kube"
)

// generating is a workload that uses a generated ConfigMap.
var generating = strings.Replace(idle, "spec: {containers:", "spec: {volumes: [{name: settings, configMap: {name: settings}}], containers:", 1)

// renderWith renders a kustomization of a workload and a generator. It returns the name
// of the generated ConfigMap as well.
func renderWith(t *testing.T, namespace, color string) (objects []kube.Object, generated string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"web.yaml":           strings.ReplaceAll(generating, "namespace: NS", "namespace: "+namespace),
		"kustomization.yaml": "namespace: " + namespace + "\nresources: [web.yaml]\nconfigMapGenerator: [{name: settings, literals: [color=" + color + "]}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifests, err := render.Kustomization(dir, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	objects = decode(t, namespace, string(manifests))
	for _, o := range objects {
		if o.GetKind() == "ConfigMap" {
			generated = o.GetName()
		}
	}
	return objects, generated
}

// Of a set, the old ConfigMap of a generator goes with the next apply. The first --prune
// adopts those of former ones that it can prove to be its own, and says why; of others
// it says why not.
func TestGeneratedConfigMaps(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	applyAndAwait := func(color string) string {
		objects, name := renderWith(t, ns, color)
		mustApply(t, c, plainly(shopSet), objects...)
		awaitRevision(t, c, ns, name)
		return name
	}
	first, second := applyAndAwait("red"), applyAndAwait("green")
	never, _ := renderWith(t, ns, "grey") // No pod has used it.
	unused := slices.DeleteFunc(never, func(o kube.Object) bool { return o.GetKind() != "ConfigMap" })
	mustApply(t, c, plainly(shopSet), unused...)

	objects, third := renderWith(t, ns, "blue")
	r := mustApply(t, c, pruning(shopSet), objects...)
	wantLines(t, r.done("pruned"), "configmap/"+first+" pruned", "configmap/"+second+" pruned")
	adopted := r.done("adopted")
	if len(adopted) != 2 || !strings.Contains(adopted[0], "adopted: only ko has applied it; its name ends in the hash of its content; ") {
		t.Errorf("adopted: %q", adopted)
	}
	wantLines(t, r.done("kept"), kube.Name(unused[0])+" kept: it looks like an old object of the kustomization, but "+
		"no older revision of a workload of the kustomization names it: it may be another kustomization's")
	wantThere(t, c, true, unused[0], plain(t, ns, third))
	wantThere(t, c, false, plain(t, ns, first), plain(t, ns, second))

	objects, fourth := renderWith(t, ns, "white")
	r = mustApply(t, c, pruning(shopSet), objects...)
	wantLines(t, r.lines, "configmap/"+fourth+" created", "configmap/"+third+" pruned", "deployment.apps/web configured")
	r = deleteWith(t, c, shopSet, objects...)
	wantLines(t, r.lines, "configmap/"+fourth+" deleted", "configmap/shop deleted", "deployment.apps/web deleted")
}

// awaitRevision waits until a Deployment has made the ReplicaSet that names a ConfigMap.
func awaitRevision(t *testing.T, c *kube.Cluster, namespace, settings string) {
	t.Helper()
	eventually(t, "the revision with "+settings, func() (bool, error) {
		sets := &appsv1.ReplicaSetList{}
		err := c.List(t.Context(), sets, client.InNamespace(namespace))
		return slices.ContainsFunc(sets.Items, func(set appsv1.ReplicaSet) bool {
			return set.Spec.Template.Spec.Volumes[0].ConfigMap.Name == settings
		}), err
	})
}

// ko delete -k deletes members that the kustomization no longer names, and nothing that
// another set has taken over.
func TestDeleteOfASet(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	foreign := plain(t, ns, "foreign")
	by(t, c, "helm", foreign)
	mustApply(t, c, pruning(shopSet), append(decode(t, ns, settings, front, idle), plain(t, ns, "taken"))...)
	apitest.Kubectl(t, "", "label", "--namespace="+ns, "--overwrite", "configmap/taken", applyset.PartOfLabel+"=applyset-other-v1")
	r := deleteWith(t, c, shopSet, append(decode(t, ns, settings), plain(t, ns, "taken"))...)
	if r.err != nil {
		t.Error(r.err)
	}
	wantLines(t, r.lines, "configmap/settings deleted", "configmap/shop deleted", "configmap/taken kept: it is part of another set",
		"deployment.apps/web deleted", "service/web deleted")
	wantThere(t, c, true, foreign, plain(t, ns, "taken"))
	wantThere(t, c, false, append(decode(t, ns, settings, front, idle), record(shopSet, ns))...)
}
