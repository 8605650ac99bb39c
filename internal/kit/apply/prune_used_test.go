//go:build apiserver

package apply_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kube"
)

const usingPod = `
apiVersion: v1
kind: Pod
metadata: {name: web-x, namespace: NS}
spec: {containers: [{name: web, image: "example.com/web:1", envFrom: [{configMapRef: {name: old}}]}]}`

// A ConfigMap that a pod still uses stays a member until a later run in which none does.
func TestPruneKeepsWhatIsUsed(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	account := decode(t, ns, `{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: NS}}`)[0]
	by(t, c, "test", account) // The controller that makes it does not run here.
	mustApply(t, c, pruning(shopSet), append(decode(t, ns, front), plain(t, ns, "old"), plain(t, ns, "unused"))...)
	pod := decode(t, ns, usingPod)[0]
	by(t, c, "test", pod)
	for _, want := range [][]string{{"configmap/unused pruned"}, nil} {
		r := mustApply(t, c, pruning(shopSet), decode(t, ns, front)...)
		wantLines(t, r.done("pruned"), want...)
		wantLines(t, r.done("kept"), "configmap/old kept: it is gone from the kustomization, and pod/web-x still uses it: the next --prune deletes it, once nothing does")
		wantThere(t, c, true, plain(t, ns, "old"))
	}
	if err := c.Delete(t.Context(), pod, &client.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	r := mustApply(t, c, pruning(shopSet), decode(t, ns, front)...)
	wantLines(t, r.lines, "configmap/old pruned", "service/web unchanged")
}

// Who may not list what could use a ConfigMap is told so before anything is changed.
func TestPruneOfConfigMapsWithoutPermissions(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	mustApply(t, c, pruning(shopSet), append(decode(t, ns, front), plain(t, ns, "old"))...)
	before := snapshot(t, c, []kube.Object{plain(t, ns, "old"), record(shopSet, ns)})
	user := userOf(t, c, ns, allOfServices+`, {apiGroups: [""], resources: [configmaps], verbs: ["*"]}, {apiGroups: [apps, batch], resources: ["*"], verbs: [list]}`)
	r := applyWith(t.Context(), user, pruning(shopSet), decode(t, ns, front)...)
	for _, resource := range []string{"pods", "replicationcontrollers", "serviceaccounts", "ingresses.networking.k8s.io"} {
		wantError(t, r.err, "nothing was changed in the cluster: ", "permission is missing: verb list, resource "+resource+", namespace "+ns)
	}
	wantSame(t, before, snapshot(t, c, []kube.Object{plain(t, ns, "old"), record(shopSet, ns)}))
}
