package applyset

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// late are the kinds that are deleted after all others, in this order: what pods use,
// what bounds them, and what everything else rests on.
var late = [][]schema.GroupKind{
	{
		{Kind: "ConfigMap"}, {Kind: "Secret"}, {Kind: "ServiceAccount"}, {Kind: "PersistentVolumeClaim"}, {Kind: "LimitRange"}, {Kind: "ResourceQuota"},
		{Group: "networking.k8s.io", Kind: "NetworkPolicy"},
		{Group: rbac, Kind: "Role"}, {Group: rbac, Kind: "RoleBinding"}, {Group: rbac, Kind: "ClusterRole"}, {Group: rbac, Kind: "ClusterRoleBinding"},
	},
	{
		{Kind: "PersistentVolume"}, {Group: "storage.k8s.io", Kind: "StorageClass"},
		{Group: "scheduling.k8s.io", Kind: "PriorityClass"}, {Group: "node.k8s.io", Kind: "RuntimeClass"},
	},
	{kube.NamespaceKind},
	{kube.DefinitionKind},
}

const rbac = "rbac.authorization.k8s.io"

// InOrder sorts objects in the order in which they are deleted: what may need others
// while it ends, such as workloads and custom resources, goes before what these use;
// then namespaces, and last definitions. Within that it is the reverse of the order in
// which objects are applied.
func InOrder(objects []kube.Object) {
	plan.InOrder(objects)
	slices.Reverse(objects)
	slices.SortStableFunc(objects, func(a, b kube.Object) int { return cmp.Compare(stage(a), stage(b)) })
}

func stage(o kube.Object) int {
	return 1 + slices.IndexFunc(late, func(kinds []schema.GroupKind) bool { return slices.Contains(kinds, kube.Kind(o)) })
}

// sort makes what was found the same in every run.
func (f *Found) sort() {
	InOrder(f.Gone)
	slices.SortFunc(f.Kept, func(a, b Kept) int { return cmp.Compare(kube.NameIn(a.Object), kube.NameIn(b.Object)) })
	slices.SortFunc(f.Unknown, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
}

// Loss says what else is lost with an object that is deleted, or "": the members of
// other sets among it. A caller may ask before it prunes such an object.
func Loss(o kube.Object) string {
	switch kube.Kind(o) {
	case kube.NamespaceKind:
		return "everything in it"
	case kube.DefinitionKind:
		return "every object of its kind"
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}, schema.GroupKind{Kind: "PersistentVolume"}:
		return "its data"
	}
	return ""
}
