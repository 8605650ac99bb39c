package class

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// Belongings are all that a class has on a cluster. What is in a namespace of
// the class is not listed beside it.
type Belongings struct {
	Class     string
	Attendees []string
	objects   []client.Object // accounts and rights before namespaces
}

// Empty says whether there is no such class.
func (b Belongings) Empty() bool { return len(b.objects) == 0 }

// Names returns what there is, as [kube.Place] does.
func (b Belongings) Names() []string { return places(b.objects) }

// On returns a school on which classes can be found and removed; to bring one up
// takes a kubeconfig.
func On(c *kube.Cluster) *School {
	return &School{Cluster: c, entry: &clientcmdapi.Cluster{Server: c.Host()}}
}

// Classes returns the names of the classes that have something on the cluster.
func (c *School) Classes(ctx context.Context) ([]string, error) {
	names := map[string]bool{}
	err := c.eachWith(ctx, client.HasLabels{Label}, func(o client.Object) { names[o.GetLabels()[Label]] = true })
	if err != nil {
		return nil, fmt.Errorf("asking %s for classes: %w", c.entry.Server, err)
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// Belongings looks for all that has the label of a class.
func (c *School) Belongings(ctx context.Context, class string) (Belongings, error) {
	found := Belongings{Class: class}
	own := map[string]bool{}
	var namespaces []client.Object
	err := c.eachWith(ctx, client.MatchingLabels{Label: class}, func(o client.Object) {
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
	})
	if err != nil {
		return Belongings{}, fmt.Errorf("asking %s for what class %s has: %w", c.entry.Server, class, err)
	}
	found.objects = append(found.objects, namespaces...)
	slices.Sort(found.Attendees)
	return found, nil
}

// eachWith calls do for all that a class may consist of, namespaces first.
func (c *School) eachWith(ctx context.Context, labels client.ListOption, do func(client.Object)) error {
	for _, list := range []client.ObjectList{&corev1.NamespaceList{}, &rbacv1.RoleBindingList{}, &rbacv1.RoleList{}, &corev1.ServiceAccountList{}} {
		if err := c.List(ctx, list, labels); err != nil {
			return err
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			do(item.(client.Object))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Down removes what was found of a class, and from dir the kubeconfigs of its
// attendees. Where something of an attendee stays, their kubeconfig does; where it
// is only going yet, nobody might find it again to ask for the rest.
func (c *School) Down(ctx context.Context, found Belongings, dir string, log *progress.Log) error {
	stay, err := c.Remove(ctx, found.objects, log)
	for _, attendee := range found.Attendees {
		if slices.ContainsFunc(stay, func(o client.Object) bool { return o.GetLabels()[attendeeLabel] == attendee }) {
			continue
		}
		err = errors.Join(err, remove(dir, attendee, found.Class))
	}
	return err
}
