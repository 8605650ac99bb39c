//go:build e2e

package e2e

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/reset"
)

// plan is what `workshop reset` finds, without what is not the test's: the cluster
// may have shops and classes that are in use, and this laptop intercepts.
func (c *cluster) plan(t *testing.T, shop, className string, namespaces ...string) reset.Plan {
	t.Helper()
	plan, err := reset.Make(t.Context(), c.workshop(t, shop))
	if err != nil {
		t.Fatal(err)
	}
	plan.Intercepts = nil
	plan.Classes = slices.DeleteFunc(plan.Classes, func(found class.Belongings) bool { return found.Class != className })
	plan.Namespaces = slices.DeleteFunc(plan.Namespaces, func(o client.Object) bool { return !slices.Contains(namespaces, o.GetName()) })
	plan.Kept = slices.DeleteFunc(plan.Kept, func(line string) bool {
		return !slices.ContainsFunc(namespaces, func(name string) bool { return strings.HasPrefix(line, "namespace/"+name+": ") })
	})
	return plan
}

// What somebody may have put beside a shop.
const beside = `
apiVersion: v1
kind: Pod
metadata: {name: shell}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: main
    image: localhost:1/missing
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "localhost:1/missing"}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: 0 0 1 1 *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: "localhost:1/missing"}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: theirs}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
`

// The shop, a preview and a class go, with what an attendee has added; the preview
// only when others have nothing in it.
func TestReset(t *testing.T) {
	r := newClassroom(t)
	const shop, preview, attendee, own = "e2e-reset", "e2e-reset-preview", "e2e-reset-ada", "api-e2e-reset-ada"
	for _, namespace := range []string{shop, preview, own} {
		r.claimNamespace(t, namespace)
	}
	mustKo(t, onCluster("apply", "-k", "kustomize/overlays/workshop", "--namespace", shop, "--wait")...)
	mustKo(t, onCluster("apply", "-k", "kustomize/overlays/preview", "--namespace", preview)...)
	r.must(t, "up", "--class", shop, "--attendees", attendee, "--manager-namespace", r.manager)
	r.kubectl(t, "", "create", "deployment", "evil", "--image=localhost:1/missing", "--namespace", own)
	if _, err := r.CoreV1().PersistentVolumeClaims(shop).Get(t.Context(), "data-postgres-0", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}

	r.kubectl(t, beside, "apply", "--namespace", preview, "-f-")
	plan := r.plan(t, shop, shop, shop, preview, own)
	want := []string{"rolebinding/" + own + ".attendee in " + r.manager, "role/" + own + ".attendee in " + r.manager, "namespace/" + own, "namespace/" + shop}
	if !slices.Equal(plan.Lines(), want) {
		t.Errorf("to be removed: %q, want %q", plan.Lines(), want)
	}
	want = []string{"namespace/" + preview + ": others have something there: cronjob/nightly in " + preview + ", job/once in " + preview +
		", pod/shell in " + preview + ", persistentvolumeclaim/theirs in " + preview}
	if !slices.Equal(plan.Kept, want) {
		t.Errorf("stays: %q, want %q", plan.Kept, want)
	}

	r.kubectl(t, beside, "delete", "--cascade=foreground", "--namespace", preview, "-f-") // With the pods of the Job.
	plan = r.plan(t, shop, shop, shop, preview, own)
	if len(plan.Kept) > 0 || len(plan.Namespaces) != 2 {
		t.Fatalf("to be removed: %q; stays: %q", plan.Lines(), plan.Kept)
	}
	r.deleteNamespace(t, preview)
	if _, err := r.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: preview}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	err := plan.Remove(t.Context(), r.dir, progress.New(io.Discard))
	if err == nil || !strings.Contains(err.Error(), "namespace/"+preview+": ") || !strings.Contains(err.Error(), "UID") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a namespace that has been made anew, and no other, is refused: error %v", err)
	}
	if _, err := r.CoreV1().Namespaces().Get(t.Context(), preview, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	r.namespaceGone(t, shop)
	r.namespaceGone(t, own)
	if left := r.connections(t); len(left) > 0 {
		t.Errorf("rights at the traffic manager: %q", left)
	}
	if _, err := os.Stat(r.kubeconfig(attendee)); err == nil {
		t.Errorf("the kubeconfig of %s is still there", attendee)
	}
	if plan := r.plan(t, shop, shop, shop, preview, own); !plan.Empty() || len(plan.Kept) > 0 {
		t.Errorf("afterwards, to be removed: %q; stays: %q", plan.Lines(), plan.Kept)
	}
}

// kubectl runs as whoever gives the class.
func (c *cluster) kubectl(t *testing.T, stdin string, args ...string) {
	t.Helper()
	if _, err := run(t, repository, stdin, "kubectl", onCluster(args...)...); err != nil {
		t.Fatalf("kubectl %q: %v", args, err)
	}
}

// resets removes the namespace by `workshop reset`, and none that was there before.
func (c *cluster) resets(t *testing.T, namespace string) {
	others := c.newNamespace(t)
	_, err := c.CoreV1().Namespaces().Patch(t.Context(), others, types.MergePatchType,
		[]byte(`{"metadata": {"labels": {"app.kubernetes.io/part-of": "koshop"}}}`), metav1.PatchOptions{FieldManager: "ko"}) // As ko apply would.
	if err != nil {
		t.Fatal(err)
	}
	plan := c.plan(t, others, "", others)
	if want := "namespace/" + others + ": it was not made by the workshop"; !plan.Empty() || !slices.Equal(plan.Kept, []string{want}) {
		t.Errorf("a namespace that was there before: to be removed %q, stays %q", plan.Lines(), plan.Kept)
	}
	plan = c.plan(t, namespace, "", namespace)
	if want := []string{"namespace/" + namespace}; !slices.Equal(plan.Lines(), want) {
		t.Fatalf("to be removed: %q, want %q; stays: %q", plan.Lines(), want, plan.Kept)
	}
	if err := plan.Remove(t.Context(), t.TempDir(), progress.New(io.Discard)); err != nil {
		t.Fatal(err)
	}
	c.namespaceGone(t, namespace)
}
