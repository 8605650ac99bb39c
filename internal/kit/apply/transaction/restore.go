package transaction

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// restore makes an object what it was. The API server notes who changed which field:
// to the owners of before, that would look as if somebody else had.
func restore(ctx context.Context, c *kube.Cluster, before, live kube.Object) error {
	old := before.DeepCopy()
	old.SetResourceVersion(live.GetResourceVersion())
	if err := c.Update(ctx, old, client.FieldOwner(plan.FieldManager)); err != nil {
		return err
	}
	return again(ctx, c, old, func(now kube.Object) error { return restoreOwners(ctx, c, before, now) })
}

// restoreOwners makes the record of who owns what the one that was. Owners of a
// status and the like have gone on meanwhile.
func restoreOwners(ctx context.Context, c *kube.Cluster, before, now kube.Object) error {
	var owners []metav1.ManagedFieldsEntry
	for _, entry := range before.GetManagedFields() {
		if entry.Subresource != "status" {
			owners = append(owners, entry)
		}
	}
	for _, entry := range now.GetManagedFields() {
		if entry.Subresource == "status" {
			owners = append(owners, entry)
		}
	}
	if len(owners) == 0 {
		owners = append(owners, metav1.ManagedFieldsEntry{}) // By which the API server begins a new record.
	}
	return plan.SetOwners(ctx, c, now, owners)
}

// remake makes an object again that was deleted, as far as the API server lets
// anybody: it gets another UID.
func remake(ctx context.Context, c *kube.Cluster, before kube.Object) error {
	o := before.DeepCopy()
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool {
		return f == metav1.FinalizerDeleteDependents || f == metav1.FinalizerOrphanDependents
	}))
	ended := false
	if kube.Kind(o) == kube.JobKind {
		ended = forgetPods(o)
	}
	status := o.Object["status"]
	unstructured.RemoveNestedField(o.Object, "status")
	if err := c.Create(ctx, o, client.FieldOwner(plan.FieldManager)); err != nil {
		return err
	}
	if ended {
		err := again(ctx, c, o, func(now kube.Object) error {
			now.Object["status"] = status
			return c.Status().Update(ctx, now, client.FieldOwner(plan.FieldManager))
		})
		if err != nil {
			return err
		}
	}
	return again(ctx, c, o, func(now kube.Object) error { return restoreOwners(ctx, c, before, now) })
}

// again does something to an object as it is now, once more whenever a controller has
// changed it meanwhile.
func again(ctx context.Context, c *kube.Cluster, now kube.Object, do func(now kube.Object) error) error {
	for attempt := 1; ; attempt++ {
		err := do(now)
		if !apierrors.IsConflict(err) || attempt == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Duration(attempt) * conflictPause):
		}
		live, err := c.Live(ctx, now)
		if err != nil || live == nil {
			return err
		}
		now = live
	}
}

// conflictPause is how long the first pause is before something is tried again; each
// later one is longer.
const conflictPause = 100 * time.Millisecond

// forgetPods takes out of a Job by what it knew its pods, which the API server makes
// anew, and says whether the Job had ended. One that had is not run again: it is
// made suspended, and then gets the status that it had.
func forgetPods(job kube.Object) (ended bool) {
	if manual, _, _ := unstructured.NestedBool(job.Object, "spec", "manualSelector"); !manual {
		unstructured.RemoveNestedField(job.Object, "spec", "selector")
		for _, path := range [][]string{{"metadata", "labels"}, {"spec", "template", "metadata", "labels"}} {
			for _, label := range []string{"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"} {
				unstructured.RemoveNestedField(job.Object, append(slices.Clone(path), label)...)
			}
		}
	}
	ended = kube.HasEnded(job)
	if ended {
		_ = unstructured.SetNestedField(job.Object, true, "spec", "suspend")
	}
	return ended
}

// others are the managers, but for this program, who own fields of an object.
func others(live kube.Object) []string {
	var names []string
	for _, entry := range live.GetManagedFields() {
		own := entry.Manager == plan.FieldManager || entry.Manager == applyset.FieldManager
		if !own && entry.Subresource == "" && !slices.Contains(names, entry.Manager) {
			names = append(names, entry.Manager)
		}
	}
	return names
}
