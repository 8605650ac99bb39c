package class

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// patience is how long an object may take to go, once it is waited for.
const patience = 10 * time.Minute

// Remove deletes objects, and no others that have taken their names since they
// were found. All are going before the first is waited for, and what goes wrong
// with one stops no other; the error has all of it. It returns those that stay.
func (c *School) Remove(ctx context.Context, objects []client.Object, log *progress.Log) (stay []client.Object, err error) {
	names := places(objects)
	going := make([]*progress.Task, len(objects))
	refused := each(ctx, names, func(i int, name string) error {
		err := c.Cluster.Remove(ctx, objects[i], kube.Alone)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		going[i] = log.Start(name, "going")
		return nil
	})
	stuck := each(ctx, names, func(i int, _ string) error {
		if going[i] == nil {
			return nil
		}
		defer going[i].Stop()
		if err := c.awaitGone(ctx, objects[i]); err != nil {
			return err
		}
		going[i].Done("gone")
		return nil
	})
	for i, o := range objects {
		if going[i] == nil {
			stay = append(stay, o)
		}
	}
	if ctx.Err() != nil {
		return stay, stuck // which says no more than that it was interrupted
	}
	return stay, errors.Join(refused, stuck)
}

// awaitGone returns when this very object is gone, even if there is another one of
// its name.
func (c *School) awaitGone(ctx context.Context, o client.Object) error {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := c.AwaitGone(patient, o)
	if err != nil && patient.Err() != nil {
		return fmt.Errorf("it is still going after %s: kubectl describe says what keeps it", patience)
	}
	return err
}

// places returns what people call each.
func places(objects []client.Object) []string {
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = kube.Place(o)
	}
	return names
}
