package workload_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/workload"
)

// stack is a shop whose database makes its Secret in the cluster.
const stack = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres, namespace: api}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: postgres}}
    spec:
      initContainers:
      - {name: secret, image: ko://example.com/secret, volumeMounts: [{name: token, mountPath: /token}]}
      - {name: migrate, image: ko://example.com/migrate}
      - {name: chown, image: busybox}
      containers:
      - {name: main, image: "postgres:15", env: [{name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: made, key: password}}}]}
      - {name: exporter, image: exporter}
      volumes: [{name: token, projected: {sources: [{serviceAccountToken: {path: token}}]}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: api}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: ko://example.com/web
        env:
        - {name: PGPASSWORD, valueFrom: {secretKeyRef: {name: made, key: password}}}
        - {name: API_KEY, valueFrom: {secretKeyRef: {name: made, key: api}}}
      - {name: cache, image: "redis:7", ports: [{containerPort: 16379}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: dump, namespace: api}
spec: {template: {spec: {containers: [{name: a, image: "postgres:15"}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: search, namespace: api}
spec: {template: {metadata: {labels: {app: search}}, spec: {containers: [{name: a, image: opensearch}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: idle, namespace: api}
spec: {replicas: 0, template: {spec: {containers: [{name: a, image: "redis:7"}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: api}
spec: {selector: {app: postgres}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: search, namespace: api}
spec: {selector: {app: search}, ports: [{port: 9200}]}
`

// readImages makes a plan where PostgreSQL and Redis can be run.
func readImages(t *testing.T, elsewhere map[string]string) *workload.Plan {
	t.Helper()
	plan, err := workload.ReadWith([]byte(stack), nil, workload.Images{
		Run: func(c corev1.Container) error {
			if strings.HasPrefix(c.Image, "postgres:") || strings.HasPrefix(c.Image, "redis:") {
				return nil
			}
			return errors.New("nothing runs it")
		},
		Port:      func(image string) int32 { return map[string]int32{"postgres:15": 5432, "redis:7": 6379}[image] },
		Elsewhere: elsewhere,
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func describe(plan *workload.Plan) (described []string) {
	for _, w := range plan.Workloads {
		var containers []string
		for i, c := range w.Containers() {
			text := c.Name
			for _, port := range w.Listening()[i].All {
				if port.IsFixed() {
					text += " fixed"
				}
			}
			containers = append(containers, text)
		}
		described = append(described, w.Name+": "+strings.Join(containers, ", "))
	}
	return described
}

func TestImagesThatCanBeRun(t *testing.T) {
	plan := readImages(t, nil)
	want := []string{"postgres: migrate, main", "web: main, cache"}
	if got := describe(plan); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	postgres := find(t, plan, "postgres")
	if postgres.Replicas != 1 || postgres.IsBuilt() || !slices.Equal(postgres.ImportPaths(), []string{"example.com/migrate"}) {
		t.Errorf("postgres: %d replicas, built %v from %q", postgres.Replicas, postgres.IsBuilt(), postgres.ImportPaths())
	}
	if ports := postgres.Template.Spec.Containers[0].Ports; len(ports) != 1 || ports[0].ContainerPort != 5432 {
		t.Errorf("postgres has ports %v", ports)
	}
	if ports := find(t, plan, "web").Template.Spec.Containers[1].Ports; len(ports) != 1 || ports[0].ContainerPort != 16379 {
		t.Errorf("the cache has ports %v", ports)
	}
	if len(plan.Services[0].Backends) != 1 || plan.Services[0].Backends[0] != postgres {
		t.Errorf("Services %v", plan.Services)
	}
	wantNotes := []string{
		"deployment.apps/idle is not run: it has 0 replicas",
		"statefulset.apps/postgres runs one of its 3 replicas: each would have data of its own",
		"init container secret of statefulset.apps/postgres is not run: it uses a service account token, and there is no cluster that takes one",
		"container chown of statefulset.apps/postgres is not run: its image busybox is not built from Go",
		"container exporter of statefulset.apps/postgres is not run: its image exporter is not built from Go (nothing runs it)",
		"job.batch/dump is not run: its image postgres:15 is not built from Go (a Job in a container could not reach the programs here)",
		"deployment.apps/search is not run: its image opensearch is not built from Go (nothing runs it); if you have one, --service search=HOST:PORT",
	}
	if !slices.Equal(plan.Notes, wantNotes) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(plan.Notes, "\n"), strings.Join(wantNotes, "\n"))
	}
}

// What runs elsewhere is neither run nor missed.
func TestImagesElsewhere(t *testing.T) {
	for _, elsewhere := range []map[string]string{
		{"db": "127.0.0.1:1", "search": "127.0.0.1:2"}, {"db.api": "127.0.0.1:1", "search.api": "127.0.0.1:2"},
	} {
		plan := readImages(t, elsewhere)
		if got := describe(plan); !slices.Equal(got, []string{"web: main, cache"}) {
			t.Errorf("got %q", got)
		}
		for _, note := range plan.Notes {
			if strings.Contains(note, "postgres is not run") || strings.Contains(note, "search") {
				t.Errorf("it says %q", note)
			}
		}
	}
}

// A key that a database takes, and that only the cluster has, gets a value for
// all. Others do not, nor does one whose database is not run.
func TestSupply(t *testing.T) {
	plan := readImages(t, nil)
	var asked []string
	supply := func(k workload.SecretKey) (string, error) {
		asked = append(asked, k.String()+" "+strings.Join(k.Variables, " "))
		return "random", nil
	}
	if err := plan.Supply(supply); err != nil {
		t.Fatal(err)
	}
	if want := []string{"key password of Secret made PGPASSWORD POSTGRES_PASSWORD"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	if data := plan.Secret("api", "made"); string(data["password"]) != "random" || len(data) != 1 {
		t.Errorf("the Secret has %q", data)
	}
	if err := readImages(t, nil).Supply(func(workload.SecretKey) (string, error) { return "", errors.New("disk full") }); err == nil || !strings.Contains(err.Error(), "key password of Secret made") {
		t.Errorf("without a value: %v", err)
	}
	partial := readImages(t, nil)
	if err := partial.Only([]string{"web"}); err != nil {
		t.Fatal(err)
	}
	asked = nil
	if err := partial.Supply(supply); err != nil || asked != nil {
		t.Errorf("without the database: asked for %q (error %v)", asked, err)
	}
}
