package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// DeleteOptions are the choices of `kubectl delete` that make sense for a set.
type DeleteOptions struct {
	IgnoreNotFound bool          // an object that is not there is no error
	Wait           bool          // return when the objects are gone, their pods and finalizers included
	Timeout        time.Duration // how long to wait; 0 is for ever
	// Set is the set that the objects belong to, all of which is deleted if there is
	// such a set. Without a name, only the objects are.
	Set applyset.Set
}

// Delete removes objects in the reverse of the order they are applied in, and with them
// all other members of their set. As `kubectl delete`, it goes on after an object that is
// not there and reports it at the end. A namespace that may not be deleted is kept, and
// that is reported as what happened to it. So are an object of another set and, while a
// member of this one is left, the namespace that its record is in.
func Delete(ctx context.Context, c *kube.Cluster, objects []kube.Object, opts DeleteOptions, log *progress.Log, report event.Report) error {
	places := plan.NewPlaces(c, objects, log.Printf)
	set, unknown, err := findRemoval(ctx, c, opts.Set, objects, places, log.Printf, report)
	if err != nil {
		return err
	}
	objects = append(slices.Clone(objects), set.members()...)
	plan.InOrder(objects)
	slices.Reverse(objects)
	if i := slices.IndexFunc(objects, set.isHome); i >= 0 { // By then it shows whether the record has to stay.
		home := objects[i]
		objects = append(slices.Delete(objects, i, i+1), home)
	}
	d := &deletion{cluster: c, places: places, set: set, opts: opts, report: report, failed: []error{unknown}, left: unknown != nil, going: set.going}
	for _, o := range objects {
		if err := d.take(ctx, o); err != nil {
			return err
		}
	}
	if opts.Wait {
		err := awaitAllGone(ctx, c, d.going, opts.Timeout, log, report)
		d.failed, d.left, d.going = append(d.failed, err), d.left || err != nil, nil
	}
	if !d.left {
		d.failed = append(d.failed, set.end(ctx, c, d.going, report))
	}
	return errors.Join(d.failed...)
}

// deletion is a run that deletes objects.
type deletion struct {
	cluster *kube.Cluster
	places  *plan.Places
	set     *removal
	opts    DeleteOptions
	report  event.Report

	failed []error
	going  []client.Object
	left   bool // a member of the set may be left
}

// take begins to delete one object and notes what comes of it. It returns an error if
// no other object can be deleted either.
func (d *deletion) take(ctx context.Context, o kube.Object) error {
	live, kept, err := d.delete(ctx, o)
	absent := kube.IsAbsent(err) || plan.IsUnknown(err)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isNoAccess(err):
		return errors.Join(append(d.failed, err)...)
	case absent && d.opts.IgnoreNotFound:
	case plan.IsKept(o, err):
		d.left = d.left || d.set.has(live)
		d.report.Done(o, string(plan.Kept))
	case err != nil:
		d.left = d.left || !absent
		d.failed = append(d.failed, fmt.Errorf("deleting %s: %w", kube.Name(o), err))
	case kept != "":
		d.left = d.left || d.set.gone[o]
		d.report.Explains(o, string(plan.Kept), kept)
	default:
		d.going = append(d.going, live)
		d.report.Done(o, string(plan.Deleted))
	}
	return nil
}

// delete begins to delete an object and returns it as it was, or why it is kept.
func (d *deletion) delete(ctx context.Context, o kube.Object) (live kube.Object, kept string, err error) {
	if d.set.gone[o] {
		kept, err := d.set.parent.Prune(ctx, d.cluster, o)
		return o, kept, err
	}
	if err := d.places.Place(o); err != nil {
		return nil, "", err
	}
	live = o.DeepCopy()
	if err := d.cluster.Get(ctx, client.ObjectKeyFromObject(o), live); err != nil {
		return nil, "", err
	}
	if d.set.isAnothers(live) {
		return live, "it is part of another set", nil
	}
	if d.left && d.set.isHome(live) {
		return live, "it has " + kube.Name(d.set.record) + ", the record of the set, of which not all could be deleted: " +
			"once the reason for that is gone, ko delete -k --ignore-not-found deletes the rest", nil
	}
	return live, "", d.cluster.Remove(ctx, live, kube.WithDependents)
}

// isNoAccess says whether the cluster serves nothing to this user.
func isNoAccess(err error) bool {
	_, none := errors.AsType[*kube.AccessError](err)
	return none
}

// awaitAllGone waits for objects that are going.
func awaitAllGone(ctx context.Context, c *kube.Cluster, objects []client.Object, timeout time.Duration, log *progress.Log, report event.Report) error {
	inTime := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		inTime, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%s have passed", timeout))
		defer cancel()
	}
	tasks := map[types.UID]*progress.Task{}
	for _, o := range objects {
		tasks[o.GetUID()] = log.Start(kube.Name(o), "going")
	}
	err := c.AwaitAllGone(inTime, objects, func(o client.Object, gone bool, heldBy string) {
		if !gone {
			tasks[o.GetUID()].Step(going(heldBy))
			return
		}
		tasks[o.GetUID()].Stop()
		report.Waits(o.(kube.Object), "gone", "")
	})
	for _, task := range tasks {
		task.Stop()
	}
	return err
}

// going says in few words how an object is doing that is deleted.
func going(heldBy string) string { return strings.TrimSuffix("going, "+heldBy, ", ") }
