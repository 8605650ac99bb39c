//go:build apiserver

package apply_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// shopSet is the set of most tests; its parent is in the namespace of the objects.
var shopSet = applyset.Set{Name: "shop", Version: "v1.2.3"}

// idle is a workload that is ready without a node.
const idle = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example.com/web:1"}]}`

const front = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NS}
spec: {selector: {app: web}, ports: [{port: 80}]}`

// run is one of ko apply or ko delete.
type run struct {
	lines []string // what was done, as kubectl prints it, and why
	err   error
}

// report takes what was done.
func (r *run) report(e event.Event) {
	if e.Event == event.Object {
		r.lines = append(r.lines, strings.TrimSuffix(e.Object+" "+e.Action+": "+e.Message, ": "))
	}
}

// done returns the lines with one of these actions.
func (r *run) done(actions ...string) []string {
	var found []string
	for _, line := range r.lines {
		if slices.ContainsFunc(actions, func(action string) bool {
			return strings.HasSuffix(line, " "+action) || strings.Contains(line, " "+action+": ")
		}) {
			found = append(found, line)
		}
	}
	return found
}

// pruning are the options of ko apply --prune --atomic.
func pruning(set applyset.Set) apply.Options {
	return apply.Options{Options: plan.Options{Replace: true}, Wait: true, Atomic: true, Prune: true, Timeout: 2 * time.Minute, Set: set}
}

// plainly are the options of ko apply.
func plainly(set applyset.Set) apply.Options {
	return apply.Options{Timeout: 2 * time.Minute, Set: set}
}

// applyWith applies objects.
func applyWith(ctx context.Context, c *kube.Cluster, opts apply.Options, objects ...kube.Object) *run {
	r := &run{}
	r.err = apply.Send(ctx, c, objects, opts, progress.New(io.Discard), r.report)
	return r
}

// mustApply fails the test if the objects are not applied.
func mustApply(t *testing.T, c *kube.Cluster, opts apply.Options, objects ...kube.Object) *run {
	t.Helper()
	r := applyWith(t.Context(), c, opts, objects...)
	if r.err != nil {
		t.Fatalf("error %v after %q", r.err, r.lines)
	}
	return r
}

// deleteWith deletes objects and their set.
func deleteWith(t *testing.T, c *kube.Cluster, set applyset.Set, objects ...kube.Object) *run {
	t.Helper()
	r := &run{}
	opts := apply.DeleteOptions{Wait: true, Timeout: 2 * time.Minute, Set: set}
	r.err = apply.Delete(t.Context(), c, objects, opts, progress.New(io.Discard), r.report)
	return r
}

// wantLines compares lines.
func wantLines(t *testing.T, got []string, wants ...string) {
	t.Helper()
	got = slices.Sorted(slices.Values(got))
	slices.Sort(wants)
	if !slices.Equal(got, wants) {
		t.Errorf("%q\nwant %q", got, wants)
	}
}

// wantThere fails the test unless the cluster has objects, or has none of them; what is
// being deleted may take a moment to go.
func wantThere(t *testing.T, c *kube.Cluster, there bool, objects ...kube.Object) {
	t.Helper()
	for _, o := range objects {
		live, err := c.Live(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if is := live != nil && live.GetDeletionTimestamp() == nil; is != there {
			t.Errorf("%s is there: %v, want %v", kube.NameIn(o), is, there)
		}
	}
}

// record returns the parent of a set as an object of its name.
func record(set applyset.Set, namespace string) kube.Object {
	set.Namespace = namespace
	return set.Object(applyset.Of(nil))
}

// plain makes a ConfigMap.
func plain(t *testing.T, namespace, name string) kube.Object {
	t.Helper()
	return decode(t, namespace, strings.ReplaceAll(settings, "settings", name))[0]
}
