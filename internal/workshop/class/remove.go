package class

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
)

const (
	// pollEvery is how often an object is looked at that is going.
	pollEvery = 500 * time.Millisecond
	// patience is how long one may take, once it is waited for.
	patience = 10 * time.Minute
)

// Remove deletes objects, and no others that have taken their names since they
// were found. All are going before the first is waited for, and what goes wrong
// with one stops no other; the error has all of it. It returns those that stay.
func (c *Cluster) Remove(ctx context.Context, objects []client.Object, log *progress.Log) (stay []client.Object, err error) {
	names := Names(objects)
	going := make([]*progress.Task, len(objects))
	refused := each(ctx, names, func(i int, name string) error {
		uid := objects[i].GetUID()
		err := c.client.Delete(ctx, objects[i].DeepCopyObject().(client.Object), client.Preconditions{UID: &uid})
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
func (c *Cluster) awaitGone(ctx context.Context, o client.Object) error {
	live := o.DeepCopyObject().(client.Object)
	err := wait.PollUntilContextTimeout(ctx, pollEvery, patience, true, func(ctx context.Context) (bool, error) {
		err := c.client.Get(ctx, client.ObjectKeyFromObject(o), live)
		if err == nil {
			return live.GetUID() != o.GetUID(), nil
		}
		return true, client.IgnoreNotFound(err)
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("it is still going after %s: kubectl describe says what keeps it", patience)
	}
	return err
}

// Names returns the [Name] of each.
func Names(objects []client.Object) []string {
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = Name(o)
	}
	return names
}

// Name returns what kubectl calls an object, and its namespace: role/attendee in api.
func Name(o client.Object) string {
	name := strings.ToLower(reflect.TypeOf(o).Elem().Name()) + "/" + o.GetName()
	if o.GetNamespace() != "" {
		name += " in " + o.GetNamespace()
	}
	return name
}
