package applyset

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

const noRevision = "no older revision of a workload of the kustomization names it"

// adoptions are changes of the town, each of one piece of evidence.
var adoptions = map[string]struct {
	change func(t *testing.T, v *town)
	kept   string // why it is kept; "none" where it is not even considered, and "" where it is adopted
}{
	"all of it": {func(*testing.T, *town) {}, ""},
	"of a Secret": {func(t *testing.T, v *town) {
		v.now, v.old = generated(t, "Secret", "settings", "Ymx1ZQ=="), generated(t, "Secret", "settings", "cmVk")
		naming(v.web, v.now.GetName())
		naming(v.revision, v.old.GetName())
		v.scale(0)
	}, ""},
	"a ControllerRevision": {func(t *testing.T, v *town) {
		v.web = naming(applied(decode(t, "apps/v1 StatefulSet api/web")...)[0], v.now.GetName())
		template := naming(decode(t, "v1 Pod api/x")[0], v.old.GetName()).Object["spec"]
		v.revision = madeBy(v.web, applied(decode(t, "apps/v1 ControllerRevision api/web-1")...)[0])
		v.revision.Object["data"] = map[string]any{"spec": template}
		v.revision.Object["revision"] = int64(1)
	}, ""},
	"an ended Job, and its pod": {func(t *testing.T, v *town) {
		v.web = applied(decode(t, "batch/v1 CronJob api/web")...)[0]
		v.revision = madeBy(v.web, naming(applied(decode(t, "batch/v1 Job api/web-1")...)[0], v.old.GetName()))
		v.revision.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Complete", "status": "True"}}}
		pod := madeBy(v.revision, podNaming(t, v.old.GetName()))
		pod.Object["status"] = map[string]any{"phase": "Succeeded"}
		v.more = append(v.more, pod)
	}, ""},
	"a running Job": {func(t *testing.T, v *town) {
		v.web = applied(decode(t, "batch/v1 CronJob api/web")...)[0]
		v.revision = madeBy(v.web, naming(applied(decode(t, "batch/v1 Job api/web-1")...)[0], v.old.GetName()))
	}, "job.batch/web-1 still names it"},
	"a revision with pods":      {func(_ *testing.T, v *town) { v.scale(1) }, "replicaset.apps/web-1 still names it"},
	"a revision whose pods end": {func(_ *testing.T, v *town) { v.revision.Object["status"] = map[string]any{"replicas": int64(1)} }, "replicaset.apps/web-1 still names it"},
	"another's revision": {func(t *testing.T, v *town) {
		madeBy(applied(decode(t, "apps/v1 Deployment api/other")...)[0], v.revision)
	}, "replicaset.apps/web-1 still names it"},
	"a revision of nothing":          {func(_ *testing.T, v *town) { v.revision.SetOwnerReferences(nil) }, "replicaset.apps/web-1 still names it"},
	"no revision":                    {func(_ *testing.T, v *town) { v.revision = nil }, noRevision},
	"a revision that uses another":   {func(_ *testing.T, v *town) { naming(v.revision, v.old.GetName()+"x"); v.scale(0) }, noRevision},
	"a workload we have not applied": {func(_ *testing.T, v *town) { setManagers(v.web, "helm") }, "replicaset.apps/web-1 still names it"},
	"a pod":                          {func(t *testing.T, v *town) { v.more = append(v.more, podNaming(t, v.old.GetName())) }, "pod/web-1-x still names it"},
	"an ended pod of others": {func(t *testing.T, v *town) {
		pod := madeBy(applied(decode(t, "batch/v1 Job api/other")...)[0], podNaming(t, v.old.GetName()))
		pod.Object["status"] = map[string]any{"phase": "Succeeded"}
		v.more = append(v.more, pod)
	}, "pod/web-1-x still names it"},
	"a pod of the revision that ends": {func(t *testing.T, v *town) {
		v.more = append(v.more, going(madeBy(v.revision, podNaming(t, v.old.GetName()))))
	}, ""},
	"a pod of others that ends": {func(t *testing.T, v *town) {
		v.more = append(v.more, going(podNaming(t, v.old.GetName())))
	}, "pod/web-1-x still names it"},
	"an annotation": {func(t *testing.T, v *town) {
		o := applied(decode(t, "networking.k8s.io/v1 Ingress api/web")...)[0]
		o.SetAnnotations(map[string]string{"example.com/auth": "api/" + v.old.GetName()})
		v.more = append(v.more, o)
	}, "ingress.networking.k8s.io/web still names it"},
	"another workload": {func(t *testing.T, v *town) {
		v.more = append(v.more, naming(applied(decode(t, "apps/v1 DaemonSet api/agent")...)[0], v.old.GetName()))
	}, "daemonset.apps/agent still names it"},
	"the workload itself": {func(_ *testing.T, v *town) { naming(v.web, v.old.GetName()) }, "deployment.apps/web still names it"},
	"a present object of any kind": {func(t *testing.T, v *town) {
		o := decode(t, "example.com/v1 Web b/web")[0]
		o.Object["spec"] = map[string]any{"settings": []any{"configmap:api/" + v.old.GetName()}}
		v.present = append(v.present, o)
	}, "web.example.com/web still names it"},
	"a workload elsewhere": {func(t *testing.T, v *town) {
		v.more = append(v.more, naming(applied(decode(t, "apps/v1 DaemonSet b/agent")...)[0], v.old.GetName()))
	}, ""},
	"another content":        {func(_ *testing.T, v *town) { v.old.Object["data"] = map[string]any{"color": "green"} }, "its name does not end in the hash of its content"},
	"of no generator":        {func(t *testing.T, v *town) { v.old.SetName("settings") }, "none"},
	"of another generator":   {func(t *testing.T, v *town) { v.old = generated(t, "ConfigMap", "other", "red") }, "none"},
	"of another kind":        {func(t *testing.T, v *town) { v.old = generated(t, "Secret", "settings", "cmVk") }, "none"},
	"in another namespace":   {func(_ *testing.T, v *town) { v.old.SetNamespace("b") }, "none"},
	"of another set":         {func(_ *testing.T, v *town) { with(v.old, PartOfLabel, "applyset-x-v1") }, "none"},
	"present":                {func(_ *testing.T, v *town) { v.present = append(v.present, v.old) }, "none"},
	"applied by another":     {func(_ *testing.T, v *town) { setManagers(v.old, "kubectl") }, "none"},
	"applied by another too": {func(_ *testing.T, v *town) { setManagers(v.old, plan.FieldManager, "argocd-controller") }, "none"},
	"with no record":         {func(_ *testing.T, v *town) { setManagers(v.old) }, "none"},
	"created by us, not applied": {func(_ *testing.T, v *town) {
		entries := v.old.GetManagedFields()
		entries[0].Operation = metav1.ManagedFieldsOperationUpdate
		v.old.SetManagedFields(entries)
	}, "none"},
	"with an owner": {func(_ *testing.T, v *town) { madeBy(v.web, v.old) }, "none"},
	"being deleted": {func(_ *testing.T, v *town) {
		going(v.old)
	}, "none"},
}

// Every piece of evidence is needed.
func TestAdoptable(t *testing.T) {
	for name, test := range adoptions {
		t.Run(name, func(t *testing.T) {
			v := newTown(t)
			test.change(t, v)
			candidates, kept := v.adoptable(t)
			switch {
			case test.kept == "none":
				if len(candidates)+len(kept) > 0 {
					t.Errorf("candidates %v, kept %v", candidates, kept)
				}
			case test.kept == "":
				if len(candidates) != 1 || candidates[0].Object.GetName() != v.old.GetName() || len(kept) > 0 {
					t.Fatalf("candidates %v, kept %v", candidates, kept)
				}
				if reason := candidates[0].Reason; !strings.Contains(reason, kube.Name(v.revision)+" of "+kube.Name(v.web)+" used it") {
					t.Errorf("the reason is %s", reason)
				}
			case len(candidates) > 0 || len(kept) != 1 || !strings.HasPrefix(kept[0].Why, test.kept):
				t.Errorf("candidates %v, kept %v, want %q", candidates, kept, test.kept)
			}
		})
	}
}

// An object of the same name in another namespace is another object.
func TestUsersInOtherNamespaces(t *testing.T) {
	v := newTown(t)
	all := &users{revisions: []kube.Object{v.revision}, others: []kube.Object{v.web}}
	for namespace, want := range map[string][2]string{
		"api": {"deployment.apps/web", "replicaset.apps/web-1 of deployment.apps/web"}, "b": {"", ""},
	} {
		o := v.old.DeepCopy()
		o.SetNamespace(namespace)
		revision := all.revision(o)
		o.SetName(v.now.GetName())
		if user := all.of(o); user != want[0] || revision != want[1] {
			t.Errorf("in namespace %s: used by %q, and formerly by %q", namespace, user, revision)
		}
	}
}
