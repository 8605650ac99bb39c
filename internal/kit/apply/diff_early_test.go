//go:build apiserver

package apply_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
)

const queueDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: queues.NS.example.com}
spec:
  group: NS.example.com
  scope: Namespaced
  names: {kind: Queue, plural: queues}
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
              properties: {size: {type: integer}PROPERTIES}`

const queue = `
apiVersion: NS.example.com/v1
kind: Queue
metadata: {name: mails, namespace: NS}
spec: {size: 1}`

// A first deploy, with its namespace, its definitions and what pods and bindings rest
// on: nothing of it can be judged by the API server, and all of it is shown.
func TestDiffOfAFirstDeploy(t *testing.T) {
	c := newCluster(t)
	ns := newNamespace(t, c)
	manifests := strings.ReplaceAll(strings.Join([]string{
		`{apiVersion: v1, kind: Namespace, metadata: {name: NS-new}}`, strings.ReplaceAll(queueDefinition, "PROPERTIES", ""), queue,
		strings.ReplaceAll(queue, "namespace: NS", "namespace: NS-new"),
		`{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: NS}}`,
		`{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: NS-new}}`,
		`{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: NS-high}, value: 7}`,
		`{apiVersion: v1, kind: Pod, metadata: {name: shell, namespace: NS}, spec: {priorityClassName: NS-high, containers: [{name: c, image: c}]}}`,
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: NS-new}, data: {color: blue}}`,
		`{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS-new}, stringData: {password: hunter2}}`,
	}, "\n---\n"), "NS", ns)
	before := versions(t, c, ns)
	var notes bytes.Buffer
	result, err := apply.Diff(t.Context(), dryOnly(t, c), decode(t, "", manifests), apply.Options{}, nil, progress.New(&notes))
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, before, versions(t, c, ns))
	for _, change := range result.Changes {
		if change.Outcome != diff.Created || !strings.Contains(change.Diff, "\n+  name: "+change.Object.Name+"\n") {
			t.Errorf("%s is %s:\n%s", change.Object, change.Outcome, change.Diff)
		}
	}
	if want := len(decode(t, "", manifests)); len(result.Changes) != want {
		t.Errorf("%d changes, want %d", len(result.Changes), want)
	}
	if shown := textOf(t, result); strings.Contains(shown, "hunter2") || !strings.Contains(shown, "+  password: '***'") {
		t.Errorf("the Secret is not masked:\n%s", shown)
	}
	const more = 1
	for _, want := range []string{"cannot judge it yet: ", "serviceaccount/robot in " + ns + "-new", "secret/key in " + ns + "-new", fmt.Sprintf(" and %d more", more)} {
		if !strings.Contains(notes.String(), want) {
			t.Errorf("the notes lack %q:\n%s", want, notes.String())
		}
	}
	if strings.Contains(notes.String(), "customresourcedefinition") {
		t.Errorf("the notes have what can be judged:\n%s", notes.String())
	}
}

// A definition that is changed along with its objects: what it does not allow yet is
// shown all the same.
func TestDiffOfAChangedDefinition(t *testing.T) {
	c := newCluster(t)
	ns := newNamespace(t, c)
	old := decode(t, ns, strings.ReplaceAll(queueDefinition, "PROPERTIES", ""), queue)
	if _, err := send(t, c, plan.Options{}, copied(old)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, c, old[0]) })
	wanted := decode(t, ns, strings.ReplaceAll(queueDefinition, "PROPERTIES", ", color: {type: string}"), strings.ReplaceAll(queue, "size: 1", "size: 1, color: red"))
	before := versions(t, c, ns)
	said := mustCompare(t, c, plan.Options{}, copied(wanted)...)
	wantSame(t, before, versions(t, c, ns))
	for _, want := range []string{"\n+              color:\n+                type: string\n", "\n+  color: red\n", "\n   size: 1\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("it lacks %q:\n%s", want, said)
		}
	}
	if removed := slices.ContainsFunc(strings.Split(said, "\n"), func(line string) bool { return strings.HasPrefix(line, "-  ") }); removed {
		t.Errorf("something goes:\n%s", said)
	}
	if _, err := send(t, c, plan.Options{}, copied(wanted)...); err != nil {
		t.Fatal(err)
	}
	if left := mustCompare(t, c, plan.Options{}, copied(wanted)...); left != "" {
		t.Errorf("after the apply, it says\n%s", left)
	}
}
