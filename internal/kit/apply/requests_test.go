//go:build apiserver

package apply_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// workload is a workload that is ready without a node, and its Service.
const workload = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: NS}
spec:
  replicas: 0
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - {name: web, image: "example.com/web:1", ports: [{containerPort: 8080}], readinessProbe: {httpGet: {path: /, port: 8080}}}
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: NS}
spec: {selector: {app: NAME}, ports: [{port: 80}]}`

// workloads returns n of them with their Services.
func workloads(t *testing.T, namespace string, n int) []kube.Object {
	t.Helper()
	var all []string
	for i := range n {
		all = append(all, strings.ReplaceAll(workload, "NAME", fmt.Sprintf("web-%d", i)))
	}
	return decode(t, namespace, all...)
}

// sendAndWait applies objects, waits for them, and returns how many were unchanged.
func sendAndWait(t *testing.T, c *kube.Cluster, objects []kube.Object) (unchanged int) {
	t.Helper()
	opts := apply.Options{Wait: true, Timeout: time.Minute}
	err := apply.Send(t.Context(), c, objects, opts, progress.New(io.Discard), func(e event.Event) {
		if e.Action == string(plan.Unchanged) {
			unchanged++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return unchanged
}

// wantRequests compares what was sent with how many requests of each purpose there may
// be. What is not named may not be sent at all.
func wantRequests(t *testing.T, requests *apitest.Requests, most map[string]int) {
	t.Helper()
	for purpose, n := range requests.Take() {
		if n > most[purpose] {
			t.Errorf("%d requests for %s, want at most %d", n, purpose, most[purpose])
		}
	}
}

// What is unchanged costs a list for each kind in each namespace, and a request for each
// object that is the only one of its kind there, however many there are.
func TestRequestsOfWhatIsUnchanged(t *testing.T) {
	for _, n := range []int{2, 12} {
		t.Run(fmt.Sprintf("%d workloads", n), func(t *testing.T) {
			ns := newNamespace(t, apitest.Cluster(t))
			objects := func() []kube.Object { return append(workloads(t, ns, n), decode(t, ns, settings)...) }
			sendAndWait(t, apitest.Cluster(t), objects())
			c, requests := apitest.Counting(t)
			if unchanged := sendAndWait(t, c, objects()); unchanged != 2*n+1 {
				t.Errorf("%d objects were unchanged, want all of %d", unchanged, 2*n+1)
			}
			wantRequests(t, requests, map[string]int{"discovery": 2, "list": 2, "get": 1})
		})
	}
}

// A definition that is unchanged costs one request, though others may rest on it.
func TestRequestsOfADefinition(t *testing.T) {
	objects := func() []kube.Object {
		return decode(t, "", `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: counts.requests.example.com}
spec:
  group: requests.example.com
  scope: Namespaced
  names: {kind: Count, plural: counts, singular: count, listKind: CountList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}`)
	}
	t.Cleanup(func() {
		if err := apitest.Cluster(t).Delete(context.Background(), objects()[0]); err != nil {
			t.Error(err)
		}
	})
	sendAndWait(t, apitest.Cluster(t), objects())
	c, requests := apitest.Counting(t)
	if unchanged := sendAndWait(t, c, objects()); unchanged != 1 {
		t.Error("it is changed")
	}
	wantRequests(t, requests, map[string]int{"discovery": 2, "get": 1})
}

// One object that changes costs what it did, and the others cost no more for it than
// the lists of the wait.
func TestRequestsOfOneChange(t *testing.T) {
	const n = 8
	ns := newNamespace(t, apitest.Cluster(t))
	sendAndWait(t, apitest.Cluster(t), workloads(t, ns, n))
	objects := workloads(t, ns, n)
	for _, o := range objects {
		if o.GetKind() == "Service" && o.GetName() == "web-3" {
			o.SetAnnotations(map[string]string{"example.com/a": "b"})
		}
	}
	c, requests := apitest.Counting(t)
	if unchanged := sendAndWait(t, c, objects); unchanged != len(objects)-1 {
		t.Errorf("%d objects were unchanged, want all but one of %d", unchanged, len(objects))
	}
	wantRequests(t, requests, map[string]int{"discovery": 2, "list": 4, "dry run": 1, "get": 1, "PATCH": 1})
}

// Who may get objects and not list them applies all the same. A list that has too many
// others does not keep an object from being found either.
func TestObjectsThatListsDoNotShow(t *testing.T) {
	c := apitest.Cluster(t)
	t.Run("forbidden", func(t *testing.T) {
		ns := newNamespace(t, c)
		services := decode(t, ns, front, strings.ReplaceAll(front, "name: web", "name: other"))
		mustApply(t, c, apply.Options{}, services...)
		r := mustApply(t, userOf(t, c, ns, someServices), apply.Options{}, services...)
		wantLines(t, r.lines, "service/other unchanged", "service/web unchanged")
	})
	t.Run("too many", func(t *testing.T) {
		ns := newNamespace(t, c)
		var others, services []string
		for i := range 12 {
			others = append(others, strings.ReplaceAll(front, "name: web", fmt.Sprintf("name: a-%d", i)))
		}
		services = []string{front, strings.ReplaceAll(front, "name: web", "name: z")}
		mustApply(t, c, apply.Options{}, decode(t, ns, append(others, front)...)...)
		r := mustApply(t, c, apply.Options{}, decode(t, ns, services...)...)
		wantLines(t, r.lines, "service/web unchanged", "service/z created")
	})
}
