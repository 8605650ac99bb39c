package workload_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/workload"
)

const manyKinds = `
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: api}
- apiVersion: apps/v1
  kind: DaemonSet
  metadata: {name: agent, namespace: api}
  spec: {template: {spec: {containers: [{name: a, image: "ko://example.com/agent"}]}}}
---
# nothing but a comment
---
apiVersion: v1
kind: Pod
metadata: {name: once, labels: {app: once}}
spec:
  containers: [{name: a, image: ko://example.com/once}, {name: proxy, image: envoy}]
  initContainers: [{name: i, image: ko://example.com/init}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: api}
spec: {completions: 2, backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: a, image: ko://example.com/migrate}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres, namespace: api}
spec: {template: {metadata: {labels: {app: pg}}, spec: {initContainers: [{name: i, image: ko://example.com/init}], containers: [{name: a, image: "postgres:15"}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: api}
spec: {selector: {app: pg}, ports: [{port: 5432}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: idle, namespace: api}
spec: {replicas: 0, nonsense: 1, template: {spec: {containers: [{name: a, image: ko://example.com/off}]}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: b}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: a}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: fn, namespace: api}
spec:
  template:
    spec: {containerConcurrency: 10, timeoutSeconds: 30, containers: [{image: ko://example.com/fn}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: set, namespace: api}
spec: {replicas: 2, template: {spec: {containers: [{name: a, image: ko://example.com/set}]}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: baskets.example.com}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: shops}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: serving-cert, namespace: api}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shops}
`

func TestReadTellsWhatIsRunAndWhatIsNot(t *testing.T) {
	plan := read(t, manyKinds)
	var got []string
	for _, w := range plan.Workloads {
		got = append(got, w.String()+" "+w.Namespace+" "+strings.Join(w.ImportPaths(), ","))
	}
	want := []string{
		"daemonset.apps/agent api example.com/agent",
		"pod/once default example.com/init,example.com/once",
		"job.batch/migrate api example.com/migrate",
		"service.serving.knative.dev/fn api example.com/fn",
		"replicaset.apps/set api example.com/set",
	}
	if !slices.Equal(got, want) {
		t.Errorf("workloads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if job := find(t, plan, "migrate"); job.Completions != 2 || job.BackoffLimit != 0 || job.Replicas != 1 {
		t.Errorf("job has %d completions, backoff limit %d, %d replicas", job.Completions, job.BackoffLimit, job.Replicas)
	}
	wantNotes(t, plan,
		"container proxy of pod/once is not run: its image envoy is not built from Go",
		`deployment.apps/idle: unknown field "spec.nonsense": it is ignored`,
		"deployment.apps/idle is not run: it has 0 replicas",
		"1 HorizontalPodAutoscaler is ignored: nothing measures load here",
		"2 NetworkPolicies are ignored: nothing enforces it here",
		"ignored, because only a cluster has a use for them: 1 Certificate (cert-manager.io), 2 CustomResourceDefinition, 1 ValidatingWebhookConfiguration",
		"statefulset.apps/postgres is not run: its image postgres:15 is not built from Go; if you have one, --service db=HOST:PORT",
	)
	if len(plan.Services) != 1 || plan.Front() != plan.Services[0] || plan.Front().Name != "fn" {
		t.Errorf("services %v, front %v, want that of Knative", plan.Services, plan.Front())
	}
}

func wantNotes(t *testing.T, plan *workload.Plan, want ...string) {
	t.Helper()
	if !slices.Equal(plan.Notes, want) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(plan.Notes, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadRefuses(t *testing.T) {
	for manifests, want := range map[string]string{
		"a: [": "manifest 1",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: []}}}\n": "deployment.apps/a: it has no containers",
		"kind: Deployment\n": `kind "Deployment", name ""`,
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: two}\n": "deployment.apps/a: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas",
	} {
		if _, err := workload.Read([]byte(manifests), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", manifests, err, want)
		}
	}
}

func TestOnly(t *testing.T) {
	for _, name := range []string{"orders-svc", "deployment/orders-svc", "Deployment.apps/orders-svc"} {
		plan := read(t, town)
		if err := plan.Only([]string{name}); err != nil {
			t.Error(err)
			continue
		}
		if len(plan.Workloads) != 1 || plan.Workloads[0].Name != "orders-svc" || len(plan.Services) != 1 || plan.Services[0].Name != "orders-svc" {
			t.Errorf("%s: workloads %v, services %v", name, plan.Workloads, plan.Services)
		}
	}
	plan := read(t, manyKinds)
	err := plan.Only([]string{"once", "postgres"})
	if want := "no workload postgres to run: there are daemonset.apps/agent, pod/once, job.batch/migrate, service.serving.knative.dev/fn, replicaset.apps/set"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if err := plan.Only([]string{"agent"}); err != nil {
		t.Fatal(err)
	}
	for _, note := range plan.Notes {
		if strings.Contains(note, "pod/once") {
			t.Errorf("note %q on what was not asked for", note)
		}
	}
}

func TestFingerprintChangesWithWhatAWorkloadUses(t *testing.T) {
	base := deployment("app", "envFrom: [{configMapRef: {name: c}}]\nenv: [{name: A, value: http://orders-svc}]")
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: api}\ndata: {a: b}\n---\n"
	before := find(t, read(t, base+config+town), "app").Fingerprint()
	for what, manifests := range map[string]string{
		"a ConfigMap it uses":  base + strings.ReplaceAll(config, "a: b", "a: c") + town,
		"-the number of pods":  strings.Replace(base, "spec:\n", "spec:\n  replicas: 2\n", 1) + config + town,
		"an argument":          strings.Replace(base, "http://orders-svc", "x", 1) + config + town,
		"a Service it uses":    base + config + strings.Replace(town, "[{port: 80}]", "[{port: 81}]", 1),
		"-nothing":             base + config + town,
		"-another workload":    base + config + town + deployment("other", ""),
		"-a comment elsewhere": base + "# c\n" + config + town,
	} {
		after := find(t, read(t, manifests), "app").Fingerprint()
		if equal, wantEqual := before == after, strings.HasPrefix(what, "-"); equal != wantEqual {
			t.Errorf("%s: equal %t, want %t", what, equal, wantEqual)
		}
	}
}
