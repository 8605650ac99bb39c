package class

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
)

// pollEvery is how often a namespace is looked at that is going.
const pollEvery = 500 * time.Millisecond

// Belongings are all that a class has on a cluster. What is in a namespace of
// the class is not listed beside it.
type Belongings struct {
	Class     string
	Attendees []string
	objects   []client.Object // accounts and rights before namespaces
}

// Empty says whether there is no such class.
func (b Belongings) Empty() bool { return len(b.objects) == 0 }

// Names returns what there is as kubectl names it: namespace/api-ada.
func (b Belongings) Names() []string {
	names := make([]string, len(b.objects))
	for i, o := range b.objects {
		names[i] = name(o)
	}
	return names
}

// Belongings looks for all that has the label of a class.
func (c *Cluster) Belongings(ctx context.Context, class string) (Belongings, error) {
	found := Belongings{Class: class}
	own := map[string]bool{}
	var namespaces []client.Object
	for _, list := range []client.ObjectList{&corev1.NamespaceList{}, &rbacv1.RoleBindingList{}, &rbacv1.RoleList{}, &corev1.ServiceAccountList{}} {
		if err := c.client.List(ctx, list, client.MatchingLabels{Label: class}); err != nil {
			return Belongings{}, fmt.Errorf("asking %s for what class %s has: %w", c.entry.Server, class, err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			o := item.(client.Object)
			if attendee := o.GetLabels()[attendeeLabel]; attendee != "" && !slices.Contains(found.Attendees, attendee) {
				found.Attendees = append(found.Attendees, attendee)
			}
			switch {
			case o.GetNamespace() == "":
				own[o.GetName()] = true
				namespaces = append(namespaces, o)
			case !own[o.GetNamespace()]:
				found.objects = append(found.objects, o)
			}
			return nil
		})
		if err != nil {
			return Belongings{}, err
		}
	}
	found.objects = append(found.objects, namespaces...)
	slices.Sort(found.Attendees)
	return found, nil
}

// Down deletes what was found of a class, and the kubeconfigs of its attendees in
// dir, and returns when all is gone. All of it is going before the first is waited for.
func (c *Cluster) Down(ctx context.Context, found Belongings, dir string, log *progress.Log) error {
	names := found.Names()
	going := make([]*progress.Task, len(names))
	refused := each(ctx, names, func(i int, name string) error {
		uid := found.objects[i].GetUID()
		err := c.client.Delete(ctx, found.objects[i].DeepCopyObject().(client.Object), client.Preconditions{UID: &uid})
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		going[i] = log.Start(name, "going")
		return nil
	})
	stuck := each(ctx, names, func(i int, name string) error {
		if going[i] == nil {
			return nil
		}
		defer going[i].Stop()
		if err := c.awaitGone(ctx, found.objects[i]); err != nil {
			return err
		}
		going[i].Done("gone")
		return nil
	})
	if ctx.Err() != nil {
		return stuck
	}
	if err := errors.Join(refused, stuck); err != nil {
		return err
	}
	for _, attendee := range found.Attendees {
		if err := os.Remove(kubeconfigFile(dir, attendee)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// awaitGone returns when this very object is gone, even if there is another one of
// its name.
func (c *Cluster) awaitGone(ctx context.Context, o client.Object) error {
	live := o.DeepCopyObject().(client.Object)
	return wait.PollUntilContextCancel(ctx, pollEvery, true, func(ctx context.Context) (bool, error) {
		err := c.client.Get(ctx, client.ObjectKeyFromObject(o), live)
		if err == nil {
			return live.GetUID() != o.GetUID(), nil
		}
		return true, client.IgnoreNotFound(err)
	})
}

func name(o client.Object) string {
	name := strings.ToLower(reflect.TypeOf(o).Elem().Name()) + "/" + o.GetName()
	if o.GetNamespace() != "" {
		name += " in " + o.GetNamespace()
	}
	return name
}
