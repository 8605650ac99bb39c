//go:build apiserver

package apply_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// What an apply is refused for, a diff is as well, in the same words; and what its flags
// allow is shown.
func TestDiffOfFieldsOfOthers(t *testing.T) {
	c := newCluster(t)
	ns := newNamespace(t, c)
	by(t, c, "helm", decode(t, ns, strings.ReplaceAll(settings, "blue", "red"))[0])
	before := versions(t, c, ns)
	_, err := compare(t, c, plan.Options{}, decode(t, ns, settings)...)
	wantError(t, err, "configmap/settings in namespace "+ns+" has fields that others manage:", ".data.color of helm", "--force-conflicts")
	said := mustCompare(t, c, plan.Options{ForceConflicts: true}, decode(t, ns, settings)...)
	if !strings.Contains(said, "\n-  color: red\n+  color: blue\n") {
		t.Errorf("it said\n%s", said)
	}
	wantSame(t, before, versions(t, c, ns))
	foreseen(t, c, plan.Options{ForceConflicts: true}, decode(t, ns, settings))
}

func TestDiffOfFieldsThatCannotChange(t *testing.T) {
	c := newCluster(t)
	for name, test := range unchangeable {
		t.Run(name, func(t *testing.T) {
			ns := newNamespace(t, c)
			if _, err := send(t, c, plan.Options{}, decode(t, ns, test.manifest)...); err != nil {
				t.Fatal(err)
			}
			changed := decode(t, ns, strings.ReplaceAll(test.manifest, test.from, test.to))
			before := versions(t, c, ns)
			_, err := compare(t, c, plan.Options{}, copied(changed)...)
			for _, want := range test.want {
				wantError(t, err, strings.ReplaceAll(want, "NS", ns))
			}
			result, err := compare(t, c, plan.Options{Replace: true}, copied(changed)...)
			wantSame(t, before, versions(t, c, ns))
			if test.never {
				wantError(t, err, "undo that change")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantReplaced(t, result, test.from, test.to)
		})
	}
}

// wantReplaced fails unless exactly one object is made anew, with hardly more changes
// than the one that makes it necessary.
func wantReplaced(t *testing.T, result *diff.Result, from, to string) {
	t.Helper()
	shown := textOf(t, result)
	if strings.Count(shown, "would be deleted and made anew") != 1 {
		t.Errorf("it is not made anew:\n%s", shown)
	}
	const most = 4
	for _, change := range result.Changes {
		if change.Outcome == diff.Replaced && (len(change.Fields) == 0 || len(change.Fields) > most) {
			t.Errorf("from %s to %s, %d fields differ:\n%s", from, to, len(change.Fields), shown)
		}
	}
}

// Replicas that an autoscaler has set are no difference.
func TestDiffOfReplicasOfAnAutoscaler(t *testing.T) {
	c := newCluster(t)
	ns := newNamespace(t, c)
	const autoscaler = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: NS}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 9}`
	if _, err := send(t, c, plan.Options{}, decode(t, ns, web, autoscaler)...); err != nil {
		t.Fatal(err)
	}
	scale := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "autoscaling/v1", "kind": "Scale",
		"metadata": map[string]any{"name": "web", "namespace": ns}, "spec": map[string]any{"replicas": int64(3)}}}
	if err := c.SubResource("scale").Update(t.Context(), decode(t, ns, web)[0], client.WithSubResourceBody(scale), client.FieldOwner("kube-controller-manager")); err != nil {
		t.Fatal(err)
	}
	if said := mustCompare(t, c, plan.Options{}, decode(t, ns, web, autoscaler)...); said != "" {
		t.Errorf("it said\n%s", said)
	}
	said := mustCompare(t, c, plan.Options{}, decode(t, ns, strings.ReplaceAll(web, "web:1", "web:2"), autoscaler)...)
	if !strings.Contains(said, "\n+      - image: example.com/web:2\n") || strings.Contains(said, "\n-  replicas: ") {
		t.Errorf("it said\n%s", said)
	}
}

// remove deletes an object that no namespace takes with it, at the end of a test.
func remove(t *testing.T, c *kube.Cluster, o kube.Object) {
	t.Helper()
	if err := c.Delete(context.Background(), o); err != nil {
		t.Error(err)
	}
}
