//go:build apiserver

package apply_test

import (
	"encoding/json"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// rich are objects with fields of every sort: lists by key, by value and as a whole,
// maps by key and as a whole, quantities, parts of keys that are left out, and no fields.
var rich = []string{`
apiVersion: v1
kind: ConfigMap
metadata: {name: empty, namespace: NS}`, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: rich, namespace: NS, labels: {a: b, c: d}, annotations: {e: f}}
spec:
  replicas: 0
  selector: {matchLabels: {app: rich}}
  strategy: {rollingUpdate: {maxSurge: 1}}
  template:
    metadata: {labels: {app: rich}}
    spec:
      securityContext: {runAsNonRoot: true}
      initContainers: [{name: first, image: "example.com/first:1"}]
      containers:
      - name: web
        image: "example.com/web:1"
        args: [one, two]
        env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        ports: [{containerPort: 53}, {containerPort: 8080, name: http}, {containerPort: 9090, protocol: UDP}]
        resources: {requests: {cpu: 10m, memory: 1Gi}}
        volumeMounts: [{name: data, mountPath: /data}]
      - {name: other, image: "example.com/other:1"}
      volumes: [{name: data, emptyDir: {}}]`, `
apiVersion: v1
kind: Service
metadata: {name: rich, namespace: NS}
spec: {selector: {app: rich, tier: front}, ports: [{name: a, port: 80, targetPort: http}, {name: b, port: 81}]}`, `
apiVersion: v1
kind: ServiceAccount
metadata: {name: rich, namespace: NS, finalizers: [example.com/one, example.com/two]}
imagePullSecrets: [{name: one}, {name: two}]
automountServiceAccountToken: false`, `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: rich, namespace: NS}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 80}]}]}`, `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: rich, namespace: NS}
spec:
  replicas: 0
  selector: {matchLabels: {app: rich}}
  template:
    metadata: {labels: {app: rich}}
    spec:
      containers: [{name: db, image: "example.com/db:1", env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}`,
}

// Whatever is edited, what is taken for unchanged without asking the API server is what
// it says is unchanged, ownership included.
func TestWhatIsTakenForUnchanged(t *testing.T) {
	c, requests := apitest.Counting(t)
	ns := newNamespace(t, c)
	for _, o := range decode(t, ns, rich...) {
		t.Run(o.GetKind(), func(t *testing.T) {
			defer func() {
				o.SetFinalizers(nil)
				by(t, c, plan.FieldManager, o)
			}()
			by(t, c, plan.FieldManager, o)
			if asked, _ := isAsked(t, c, requests, o); asked {
				t.Error("the API server is asked about what is unchanged")
			}
			for i, edited := range editions(o) {
				if _, err := isAsked(t, c, requests, edited); err != nil {
					continue // Not a manifest that the API server accepts.
				}
				by(t, c, plan.FieldManager, edited)
				if _, err := isAsked(t, c, requests, o); err != nil {
					t.Errorf("after edit %d: %v", i, err)
				}
				by(t, c, plan.FieldManager, o)
			}
		})
	}
}

// isAsked says whether the API server is asked about an object to plan how to apply it,
// and the error of that. If it is not, the object has to be what it would say.
func isAsked(t *testing.T, c *kube.Cluster, requests *apitest.Requests, o kube.Object) (asked bool, err error) {
	t.Helper()
	requests.Take()
	_, err = plan.Make(t.Context(), plan.NewPlaces(c, nil, t.Logf), []kube.Object{o.DeepCopy()}, plan.Options{})
	if asked = requests.Take()["dry run"] > 0; asked || err != nil {
		return asked, err
	}
	var live, after kube.Object
	eventually(t, "no controller to change it meanwhile", func() (same bool, err error) {
		if live, err = c.Live(t.Context(), o); err != nil {
			return false, err
		}
		after = o.DeepCopy()
		err = c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(after), plan.ApplyOptions(false, client.DryRunAll)...)
		return err == nil && live.GetResourceVersion() == after.GetResourceVersion(), err
	})
	if got, want := timeless(t, live), timeless(t, after); got != want {
		t.Errorf("taken for unchanged, though of\n%s\napplying\n%v\nwould make\n%s", got, o.Object, want)
	}
	return false, nil
}

// timeless returns an object as JSON, without the times at which its owners changed it.
func timeless(t *testing.T, o kube.Object) string {
	t.Helper()
	owners := o.GetManagedFields()
	for i := range owners {
		owners[i].Time = nil
	}
	o.SetManagedFields(owners)
	text, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// editions returns copies of an object, each with one edit.
func editions(o kube.Object) []kube.Object {
	var all []kube.Object
	editionsOf(o.Object, func(with any) {
		if fields, ok := with.(map[string]any); ok {
			all = append(all, (&unstructured.Unstructured{Object: fields}).DeepCopy())
		}
	})
	return slices.DeleteFunc(all, func(edited kube.Object) bool {
		return kube.NameIn(edited) != kube.NameIn(o) || edited.GetAPIVersion() != o.GetAPIVersion()
	})
}

// editionsOf calls found with every value that one edit makes of a value: a field or an
// item less, one more, another value, another order.
func editionsOf(value any, found func(any)) {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			rest := without(value, name)
			found(rest)
			editionsOf(field, func(with any) { found(and(rest, name, with)) })
		}
		found(and(value, "added", "x"))
	case []any:
		for i, item := range value {
			found(slices.Delete(slices.Clone(value), i, i+1))
			editionsOf(item, func(with any) {
				edited := slices.Clone(value)
				edited[i] = with
				found(edited)
			})
		}
		backward := slices.Clone(value)
		slices.Reverse(backward)
		found(backward)
	case string:
		found(value + "x")
	case int64:
		found(value + 1)
	case bool:
		found(!value)
	}
}

func without(fields map[string]any, name string) map[string]any {
	rest := map[string]any{}
	for other, field := range fields {
		if other != name {
			rest[other] = field
		}
	}
	return rest
}

func and(fields map[string]any, name string, value any) map[string]any {
	all := without(fields, name)
	all[name] = value
	return all
}
