package applyset

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// generated makes an object with a hash behind its name, as if we had applied it.
func generated(t *testing.T, kind, generator, color string) kube.Object {
	t.Helper()
	o := decode(t, "v1 "+kind+" api/"+generator)[0]
	o.Object["data"] = map[string]any{"color": color}
	hash, err := contentHash(o)
	if err != nil {
		t.Fatal(err)
	}
	o.SetName(generator + "-" + hash)
	return applied(o)[0]
}

// naming returns an object that names another one where a pod template does.
func naming(o kube.Object, name string) kube.Object {
	o.Object["spec"] = map[string]any{"template": map[string]any{"spec": map[string]any{"volumes": []any{
		map[string]any{"name": "settings", "configMap": map[string]any{"name": name}},
	}}}}
	return o
}

func madeBy(owner, o kube.Object) kube.Object {
	o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: owner.GetName(), UID: owner.GetUID(), Controller: new(true)}})
	return o
}

// going makes an object one that is being deleted.
func going(o kube.Object) kube.Object {
	now := metav1.Now()
	o.SetDeletionTimestamp(&now)
	o.SetFinalizers([]string{"example.com/x"})
	return o
}

// town is a cluster in which a Deployment has used a ConfigMap that is gone from the
// kustomization, and uses another one of the same generator now.
type town struct {
	web, now, old, revision kube.Object
	more                    []kube.Object // in the cluster
	present                 []kube.Object // what is applied besides
}

func newTown(t *testing.T) *town {
	t.Helper()
	v := &town{now: generated(t, "ConfigMap", "settings", "blue"), old: generated(t, "ConfigMap", "settings", "red")}
	v.web = naming(applied(decode(t, "apps/v1 Deployment api/web")...)[0], v.now.GetName())
	v.revision = madeBy(v.web, naming(applied(decode(t, "apps/v1 ReplicaSet api/web-1")...)[0], v.old.GetName()))
	v.scale(0)
	return v
}

func (v *town) scale(replicas int64) {
	v.revision.Object["spec"].(map[string]any)["replicas"] = replicas
	v.revision.Object["status"] = map[string]any{"replicas": replicas}
}

// adoptable asks for candidates in the town.
func (v *town) adoptable(t *testing.T) ([]Candidate, []Kept) {
	t.Helper()
	var there []kube.Object
	for _, o := range append(v.more, v.web, v.now, v.old, v.revision) {
		if o != nil {
			there = append(there, o)
		}
	}
	present := append(withoutUIDs([]kube.Object{v.web, v.now}), v.present...)
	candidates, kept, err := Adoptable(t.Context(), newCluster(interceptor.Funcs{}, there...), present)
	if err != nil {
		t.Fatal(err)
	}
	return candidates, kept
}

func podNaming(t *testing.T, name string) kube.Object {
	t.Helper()
	pod := applied(decode(t, "v1 Pod api/web-1-x")...)[0]
	pod.Object["spec"] = map[string]any{"containers": []any{map[string]any{"name": "web", "envFrom": []any{
		map[string]any{"configMapRef": map[string]any{"name": name}},
	}}}}
	return pod
}
