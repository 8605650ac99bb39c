package applyset

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/koshop/koshop/internal/kube"
)

// using are the kinds of every cluster whose objects name ConfigMaps and Secrets, and
// those that keep what such objects were.
var using = map[schema.GroupVersion]map[string]string{ // resources by kind
	{Version: "v1"}:                 {"Pod": "pods", "ReplicationController": "replicationcontrollers", "ServiceAccount": "serviceaccounts"},
	{Group: "batch", Version: "v1"}: {"Job": "jobs", "CronJob": "cronjobs"},
	{Group: "apps", Version: "v1"}: {
		"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets",
		"ReplicaSet": "replicasets", "ControllerRevision": "controllerrevisions",
	},
	{Group: "networking.k8s.io", Version: "v1"}: {"Ingress": "ingresses"},
}

// users knows what names ConfigMaps and Secrets of some namespaces.
type users struct {
	present   []kube.Object // what the kustomization has
	revisions []kube.Object // of present workloads, older ones that run no pods
	others    []kube.Object // everything else in the cluster
}

// findUsers asks for everything in the namespaces that could use a ConfigMap or a
// Secret. The present objects are users too, custom resources among them.
func findUsers(ctx context.Context, c *kube.Cluster, present []kube.Object, namespaces sets.Set[string], then foresight) (*users, error) {
	live, err := listUsers(ctx, c, namespaces)
	if err != nil {
		return nil, err
	}
	return sortUsers(present, then(present, live)), nil
}

// listUsers returns what there is of the kinds in using.
func listUsers(ctx context.Context, c *kube.Cluster, namespaces sets.Set[string]) ([]kube.Object, error) {
	lists, err := listAll(ctx, c, usersIn(namespaces))
	if err != nil {
		return nil, err
	}
	return slices.Concat(lists...), nil
}

// usersIn returns the lists in which users of ConfigMaps and Secrets are.
func usersIn(namespaces sets.Set[string]) []query {
	var all []query
	for _, namespace := range sets.List(namespaces) {
		for group, kinds := range using {
			for kind, resource := range kinds {
				all = append(all, query{group.WithKind(kind), schema.GroupResource{Group: group.Group, Resource: resource}, namespace})
			}
		}
	}
	return all
}

// sortUsers tells the older revisions of present workloads from the rest.
func sortUsers(present, live []kube.Object) *users {
	now, workloads, idle := newPresence(present), sets.New[types.UID](), sets.New[types.UID]()
	for _, o := range live {
		if now.has(o) && wasApplied(o) {
			workloads.Insert(o.GetUID())
		}
	}
	all := &users{present: present}
	for _, o := range live {
		if owner := metav1.GetControllerOf(o); owner != nil && workloads.Has(owner.UID) && isIdle(o) {
			all.revisions = append(all.revisions, o)
			idle.Insert(o.GetUID())
		}
	}
	for _, o := range live {
		owner := metav1.GetControllerOf(o)
		if ended := owner != nil && idle.Has(owner.UID) && isPast(o); !idle.Has(o.GetUID()) && !ended {
			all.others = append(all.others, o)
		}
	}
	return all
}

// isIdle says whether what a workload has made runs no pods.
func isIdle(o kube.Object) bool {
	switch o.GetKind() {
	case "ControllerRevision":
		return true
	case "Job":
		return kube.HasEnded(o)
	case "ReplicaSet":
		wanted, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
		there, _, _ := unstructured.NestedInt64(o.Object, "status", "replicas")
		return found && wanted == 0 && there == 0
	}
	return false
}

// isPast says whether an object is a pod that runs no more, or is on its way out: no
// container of it is started again, and what it has mounted it keeps.
func isPast(o kube.Object) bool {
	phase := kube.Text(o, "status", "phase")
	return o.GetKind() == "Pod" && (phase == "Succeeded" || phase == "Failed" || o.GetDeletionTimestamp() != nil)
}

// of names a user of an object that is not an older revision of a present workload, or
// is "". Where the name is part of a longer text, that may be a use as well. A present
// object may be of a kind that names objects of other namespaces.
func (u *users) of(o kube.Object) string {
	uses := func(user kube.Object) bool {
		return mentions(user, func(text string) bool { return strings.Contains(text, o.GetName()) })
	}
	for _, user := range u.others {
		if user.GetNamespace() == o.GetNamespace() && uses(user) {
			return kube.Name(user)
		}
	}
	if i := slices.IndexFunc(u.present, uses); i >= 0 {
		return kube.Name(u.present[i])
	}
	return ""
}

// revision names an older revision of a present workload that used an object, and the
// workload, or is "".
func (u *users) revision(o kube.Object) string {
	for _, revision := range u.revisions {
		if revision.GetNamespace() == o.GetNamespace() && mentions(revision, func(text string) bool { return text == o.GetName() }) {
			return kube.Name(revision) + " of " + ownerName(*metav1.GetControllerOf(revision))
		}
	}
	return ""
}

// mentions says whether a text of an object, but for its status and its name, is one
// that is looked for.
func mentions(o kube.Object, is func(text string) bool) bool {
	for field, value := range o.Object {
		if field != "status" && field != "metadata" && contains(value, is) {
			return true
		}
	}
	for _, annotation := range o.GetAnnotations() {
		if is(annotation) {
			return true
		}
	}
	return false
}

func contains(value any, is func(text string) bool) bool {
	switch value := value.(type) {
	case string:
		return is(value)
	case []any:
		for _, item := range value {
			if contains(item, is) {
				return true
			}
		}
	case map[string]any:
		for _, item := range value {
			if contains(item, is) {
				return true
			}
		}
	}
	return false
}
