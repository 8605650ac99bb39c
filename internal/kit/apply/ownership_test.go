//go:build apiserver

package apply_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// A field that another manager owns is theirs, unless somebody says otherwise.
func TestFieldsOfOtherManagers(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	by(t, c, "helm", decode(t, ns, strings.ReplaceAll(settings, "blue", "red"))[0])
	by(t, c, "argo", decode(t, ns, strings.ReplaceAll(web, "web:1", "web:0"))[0])

	before := snapshot(t, c, decode(t, ns, settings, web))
	_, err := send(t, c, plan.Options{}, decode(t, ns, settings, web)...)
	wantError(t, err, "nothing was changed in the cluster", "configmap/settings in namespace "+ns+" has fields that others manage:",
		"\n  .data.color of helm\n", `.spec.template.spec.containers[name="web"].image of argo`, "--force-conflicts")
	wantSame(t, before, snapshot(t, c, decode(t, ns, settings, web)))

	lines, err := send(t, c, plan.Options{ForceConflicts: true}, decode(t, ns, settings, web)...)
	if want := []string{"configmap/settings configured", "deployment.apps/web configured"}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("%q, error %v, want %q", lines, err, want)
	}
	// From now on they are ours.
	if _, err := send(t, c, plan.Options{}, decode(t, ns, settings, web)...); err != nil {
		t.Error(err)
	}
}

// What was set by hand, or by tools whose work ko goes on with, is taken over.
func TestFieldsSetByHand(t *testing.T) {
	c := apitest.Cluster(t)
	for _, manager := range []string{"kubectl-edit", "kubectl-patch", "kubectl-set", "kubectl", "kubectl-client-side-apply", "kubectl-create", "tilt", "ko"} {
		t.Run(manager, func(t *testing.T) {
			ns := newNamespace(t, c)
			o := decode(t, ns, settings)[0]
			if _, err := send(t, c, plan.Options{}, o.DeepCopy()); err != nil {
				t.Fatal(err)
			}
			patch := client.RawPatch(types.MergePatchType, []byte(`{"data": {"color": "green"}}`))
			if err := c.Patch(t.Context(), o.DeepCopy(), patch, client.FieldOwner(manager)); err != nil {
				t.Fatal(err)
			}
			lines, err := send(t, c, plan.Options{}, o.DeepCopy())
			if err != nil || !slices.Equal(lines, []string{"configmap/settings configured"}) {
				t.Errorf("%q, error %v", lines, err)
			}
			live, err := c.Live(t.Context(), o)
			if err != nil || nestedText(live, "data", "color") != "blue" {
				t.Errorf("error %v, color %q", err, nestedText(live, "data", "color"))
			}
		})
	}
}

// What kubectl, or create, once set and is gone from the manifests goes, and so does
// what kubectl remembers of it.
func TestFieldsGoneFromTheManifests(t *testing.T) {
	c := apitest.Cluster(t)
	const remembered = "kubectl.kubernetes.io/last-applied-configuration"
	create := func(manager string) func(*testing.T, kube.Object) {
		return func(t *testing.T, o kube.Object) {
			if err := c.Create(t.Context(), o, client.FieldOwner(manager)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, set := range map[string]func(*testing.T, kube.Object){
		"kubectl apply": func(t *testing.T, o kube.Object) {
			o.SetAnnotations(map[string]string{remembered: "{}"})
			create("kubectl-client-side-apply")(t, o)
		},
		"kubectl apply --server-side": func(t *testing.T, o kube.Object) { by(t, c, "kubectl", o) },
		"kubectl create":              create("kubectl-create"),
		"kubectl replace":             create("kubectl-replace"),
		"ko create":                   create(plan.FieldManager),
	} {
		t.Run(name, func(t *testing.T) {
			ns := newNamespace(t, c)
			old := decode(t, ns, strings.ReplaceAll(settings, "color: blue", "color: blue, dropped: yes please"))[0]
			set(t, old)
			wanted := decode(t, ns, settings)[0]
			if lines, err := send(t, c, plan.Options{}, wanted); err != nil || !slices.Equal(lines, []string{"configmap/settings configured"}) {
				t.Errorf("%q, error %v", lines, err)
			}
			live, err := c.Live(t.Context(), wanted)
			if err != nil || nestedText(live, "data", "dropped") != "" || len(live.GetAnnotations()) > 0 {
				t.Errorf("error %v, left: %v, %v", err, live.Object["data"], live.GetAnnotations())
			}
			if lines, err := send(t, c, plan.Options{}, wanted); err != nil || !slices.Equal(lines, []string{"configmap/settings unchanged"}) {
				t.Errorf("once more: %q, error %v", lines, err)
			}
		})
	}
}

// The replicas that an autoscaler has set stay, whatever the manifest says, until
// there is no autoscaler any more.
func TestReplicasOfAnAutoscaler(t *testing.T) {
	const autoscaler = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: NS}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 9`
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	if _, err := send(t, c, plan.Options{}, decode(t, ns, web, autoscaler)...); err != nil {
		t.Fatal(err)
	}
	scale := func(replicas int64) {
		t.Helper()
		o := decode(t, ns, web)[0]
		scale := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "autoscaling/v1", "kind": "Scale",
			"metadata": map[string]any{"name": "web", "namespace": ns}, "spec": map[string]any{"replicas": replicas}}}
		if err := c.SubResource("scale").Update(t.Context(), o, client.WithSubResourceBody(scale), client.FieldOwner("kube-controller-manager")); err != nil {
			t.Fatal(err)
		}
	}
	replicas := func() int64 {
		t.Helper()
		live, err := c.Live(t.Context(), decode(t, ns, web)[0])
		if err != nil {
			t.Fatal(err)
		}
		n, _, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
		return n
	}
	for _, objects := range [][]string{{web, autoscaler}, {web}, {strings.ReplaceAll(web, "web:1", "web:2")}} {
		scale(replicas() + 1)
		want := replicas()
		if _, err := send(t, c, plan.Options{}, decode(t, ns, objects...)...); err != nil || replicas() != want {
			t.Errorf("%d replicas, error %v, want %d", replicas(), err, want)
		}
	}
	if err := c.Delete(t.Context(), decode(t, ns, autoscaler)[0]); err != nil {
		t.Fatal(err)
	}
	_, err := send(t, c, plan.Options{}, decode(t, ns, web)...)
	wantError(t, err, ".spec.replicas of kube-controller-manager")
	if _, err := send(t, c, plan.Options{ForceConflicts: true}, decode(t, ns, web)...); err != nil || replicas() != 2 {
		t.Errorf("%d replicas, error %v, want 2", replicas(), err)
	}
}
