//go:build apiserver

package apply_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

const migration = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: NS}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: migrate, image: "example.com/migrate:1"}]}`

// unchangeable are objects, what is to be changed in them, and what is said of it.
var unchangeable = map[string]struct {
	manifest, from, to string
	want               []string
	never              bool // replaced, whatever the flags
}{
	"a Job's image": {migration, "migrate:1", "migrate:2",
		[]string{"job.batch/migrate in namespace NS", "spec.template.spec.containers[migrate].image: example.com/migrate:1 is there, example.com/migrate:2 is wanted", "--replace", plan.WhenEnded}, false},
	"a Deployment's selector": {web, "app: web}", "app: www}",
		[]string{"deployment.apps/web in namespace NS", "spec.selector.matchLabels.app: web is there, www is wanted", "--replace"}, false},
	"a StatefulSet's claims": {`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: NS}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "example.com/db:1"}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}`, "1Gi", "2Gi",
		[]string{"statefulset.apps/db", "storage: 1Gi is there, 2Gi is wanted", "--replace"}, false},
	"an immutable ConfigMap": {settings + "\nimmutable: true", "blue", "red", []string{"configmap/settings", "data.color: blue is there, red is wanted"}, false},
	"a Secret's type": {`
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: NS}
type: Opaque
stringData: {username: a, password: b}`, "Opaque", "kubernetes.io/basic-auth", []string{"secret/key", "type: Opaque is there, kubernetes.io/basic-auth is wanted"}, false},
	"a RoleBinding's role": {`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: NS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}`, "view", "edit", []string{"rolebinding.rbac.authorization.k8s.io/reader", "roleRef.name: view is there, edit is wanted"}, false},
	"a Pod's command": {`
apiVersion: v1
kind: Pod
metadata: {name: shell, namespace: NS}
spec: {serviceAccountName: robot, terminationGracePeriodSeconds: 0, containers: [{name: c, image: "example.com/shell:1", command: [sleep]}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot, namespace: NS}`, "[sleep]", "[rest]", []string{"pod/shell", "spec.containers[c].command[0]: sleep is there, rest is wanted"}, false},
	"a Service's address": {`
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NS}
spec: {clusterIP: None, ipFamilyPolicy: SingleStack, ipFamilies: [IPv4], ports: [{port: 80}]}`, "clusterIP: None", "clusterIP: 10.0.0.77", []string{"service/web", "spec.clusterIP"}, false},
	"a claim's size": {`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: NS}
spec: {storageClassName: slow, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}`, "slow", "fast",
		[]string{"persistentvolumeclaim/data", "spec.storageClassName: slow is there, fast is wanted", "its data would be lost"}, true},
}

func TestFieldsThatCannotChange(t *testing.T) {
	c := apitest.Cluster(t)
	for name, test := range unchangeable {
		t.Run(name, func(t *testing.T) {
			ns := newNamespace(t, c)
			old, changed := decode(t, ns, settings[:0]+test.manifest), decode(t, ns, strings.ReplaceAll(test.manifest, test.from, test.to))
			if _, err := send(t, c, plan.Options{}, old...); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, c, old)
			_, err := send(t, c, plan.Options{}, append(changed, decode(t, ns, strings.ReplaceAll(settings, "settings", "other"))...)...)
			for _, want := range test.want {
				wantError(t, err, strings.ReplaceAll(want, "NS", ns))
			}
			if err != nil && len(err.Error()) > 700 {
				t.Errorf("the error has %d characters: %v", len(err.Error()), err)
			}
			wantSame(t, before, snapshot(t, c, old))

			changed = decode(t, ns, strings.ReplaceAll(test.manifest, test.from, test.to))
			lines, err := send(t, c, plan.Options{Replace: true}, changed...)
			if test.never {
				wantError(t, err, strings.ReplaceAll(test.want[0], "NS", ns), "undo that change")
				wantSame(t, before, snapshot(t, c, old))
				return
			}
			if err != nil || !slices.ContainsFunc(lines, func(line string) bool { return strings.HasSuffix(line, " replaced") }) {
				t.Errorf("with --replace: %q, error %v", lines, err)
			}
		})
	}
}

// The author of a definition says in any words that a field cannot change.
func TestFieldThatADefinitionFixes(t *testing.T) {
	const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: buckets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Bucket, plural: buckets}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                region: {type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: "buckets do not travel"}]}`
	const bucket = `
apiVersion: GROUP/v1
kind: Bucket
metadata: {name: photos, namespace: NS}
spec: {region: north}`
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	manifests := strings.ReplaceAll(definition+"\n---"+bucket, "GROUP", ns+".example.com")
	if _, err := send(t, c, plan.Options{}, decode(t, ns, manifests)...); err != nil {
		t.Fatal(err)
	}
	manifests = strings.ReplaceAll(manifests, "region: north", "region: south")
	_, err := send(t, c, plan.Options{}, decode(t, ns, manifests)...)
	wantError(t, err, "bucket."+ns+".example.com/photos", "spec.region: north is there, south is wanted", "--replace")
	lines, err := send(t, c, plan.Options{Replace: true}, decode(t, ns, manifests)...)
	if want := "bucket." + ns + ".example.com/photos replaced"; err != nil || !slices.Contains(lines, want) {
		t.Errorf("%q, error %v, want %q", lines, err, want)
	}
	// A definition is never replaced, nor is an object that is wrong in other ways.
	_, err = send(t, c, plan.Options{Replace: true}, decode(t, ns, strings.ReplaceAll(manifests, "scope: Namespaced", "scope: Cluster"))...)
	wantError(t, err, "customresourcedefinition.apiextensions.k8s.io/buckets", "every object of its kind would be lost")
	_, err = send(t, c, plan.Options{Replace: true}, decode(t, ns, strings.ReplaceAll(manifests, "region: south", "region: 7"))...)
	wantError(t, err, "the cluster refuses bucket")
	if err := c.Delete(t.Context(), decode(t, ns, manifests)[0]); err != nil {
		t.Error(err)
	}
}

// A Job that has ended may be replaced without being asked for if it says so.
func TestJobThatMayBeReplaced(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	job := strings.ReplaceAll(migration, "namespace: NS", "namespace: NS, annotations: {"+plan.WhenEnded+": when-ended}")
	if _, err := send(t, c, plan.Options{}, decode(t, ns, job)...); err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(job, "migrate:1", "migrate:2")
	_, err := send(t, c, plan.Options{}, decode(t, ns, changed)...)
	wantError(t, err, "it has not ended")
	end(t, c, decode(t, ns, job)[0])
	lines, err := send(t, c, plan.Options{}, decode(t, ns, changed)...)
	if err != nil || !slices.Equal(lines, []string{"job.batch/migrate replaced"}) {
		t.Errorf("%q, error %v", lines, err)
	}
}

// end gives a Job the status of one that has succeeded, as its controller does.
func end(t *testing.T, c *kube.Cluster, job kube.Object) {
	t.Helper()
	var live kube.Object
	eventually(t, "the Job to be started", func() (bool, error) {
		var err error
		live, err = c.Live(t.Context(), job)
		return err == nil && kube.Text(live, "status", "startTime") != "", err
	})
	now := kube.Text(live, "status", "startTime")
	condition := func(kind string) any {
		return map[string]any{"type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now, "reason": "CompletionsReached", "message": "done"}
	}
	status := map[string]any{"startTime": now, "completionTime": now, "succeeded": int64(1),
		"uncountedTerminatedPods": map[string]any{}, "conditions": []any{condition("SuccessCriteriaMet"), condition("Complete")}}
	if err := unstructured.SetNestedMap(live.Object, status, "status"); err != nil {
		t.Fatal(err)
	}
	if err := c.Status().Update(t.Context(), live); err != nil {
		t.Fatal(err)
	}
}
