package apply_test

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kube"
)

// snapshot returns what there is of objects, and who owns what of them, without what
// no undo can restore: identities, versions and times.
func snapshot(t testing.TB, c *kube.Cluster, objects []kube.Object) map[string]string {
	t.Helper()
	there := map[string]string{}
	for _, o := range objects {
		live, err := c.Live(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if live == nil {
			continue
		}
		var owners []metav1.ManagedFieldsEntry
		for _, entry := range live.GetManagedFields() {
			if entry.Subresource == "" && entry.Manager != "kube-controller-manager" {
				entry.Time = nil
				owners = append(owners, entry)
			}
		}
		live.SetManagedFields(owners)
		for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp"} {
			unstructured.RemoveNestedField(live.Object, "metadata", field)
		}
		unstructured.RemoveNestedField(live.Object, "status")
		unstructured.RemoveNestedField(live.Object, "metadata", "annotations", "deployment.kubernetes.io/revision")
		forgetIdentity(live)
		if len(live.GetAnnotations()) == 0 {
			unstructured.RemoveNestedField(live.Object, "metadata", "annotations")
		}
		text, err := json.MarshalIndent(live.Object, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		there[kube.Name(o)+" in "+o.GetNamespace()] = string(text)
	}
	return there
}

// forgetIdentity leaves out of a Job its own UID, by which it knows its pods.
func forgetIdentity(job kube.Object) {
	if job.GetKind() != "Job" {
		return
	}
	unstructured.RemoveNestedField(job.Object, "spec", "selector")
	unstructured.RemoveNestedField(job.Object, "metadata", "labels")
	unstructured.RemoveNestedField(job.Object, "spec", "template", "metadata")
}

func wantSame(t testing.TB, before, after map[string]string) {
	t.Helper()
	for name := range before {
		if after[name] != before[name] {
			t.Errorf("%s was\n%s\nand is\n%s", name, before[name], after[name])
		}
	}
	for name := range after {
		if _, there := before[name]; !there {
			t.Errorf("%s is new:\n%s", name, after[name])
		}
	}
}

func nestedText(o kube.Object, path ...string) string {
	if o == nil {
		return ""
	}
	return kube.Text(o, path...)
}
