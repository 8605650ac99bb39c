package applyset

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/koshop/koshop/internal/kube"
)

// Usage knows what uses ConfigMaps and Secrets that are gone from a kustomization. A pod
// that does may be there after everything is ready: of a workload that replaces its pods
// only when they are deleted, or of a Job that has begun before. Without the object, its
// next container does not start.
type Usage struct {
	users []kube.Object             // present objects, and what there is in the namespaces
	known map[types.UID]kube.Object // the same by UID
	going sets.Set[types.UID]       // objects that are pruned
}

// FindUsage asks for everything that could use the ConfigMaps and Secrets among gone
// objects. The present objects are users too, custom resources among them. If there are no
// such ConfigMaps and Secrets, it asks for nothing.
func FindUsage(ctx context.Context, c *kube.Cluster, gone, present []kube.Object) (*Usage, error) {
	return findUsage(ctx, c, gone, present, asItIs)
}

// ForeseeUsage returns what [FindUsage] is going to return once the present objects are
// applied and ready. They are as a dry run of that has returned them.
func ForeseeUsage(ctx context.Context, c *kube.Cluster, gone, present []kube.Object) (*Usage, error) {
	return findUsage(ctx, c, gone, present, rolledOut)
}

func findUsage(ctx context.Context, c *kube.Cluster, gone, present []kube.Object, then foresight) (*Usage, error) {
	u := &Usage{known: map[types.UID]kube.Object{}, going: sets.New[types.UID]()}
	for _, o := range gone {
		u.going.Insert(o.GetUID())
	}
	live, err := listUsers(ctx, c, usable(gone))
	if err != nil {
		return nil, fmt.Errorf("looking for what still uses objects that are gone from the kustomization: %w", err)
	}
	u.users = slices.Clone(present)
	for _, o := range then(present, live) {
		u.known[o.GetUID()] = o
		if !isPast(o) && !isIdle(o) {
			u.users = append(u.users, o)
		}
	}
	slices.SortFunc(u.users, func(a, b kube.Object) int { return strings.Compare(kube.NameIn(a), kube.NameIn(b)) })
	return u, nil
}

// usable returns the namespaces of the ConfigMaps and Secrets among objects.
func usable(objects []kube.Object) sets.Set[string] {
	namespaces := sets.New[string]()
	for _, o := range objects {
		if isUsable(o) {
			namespaces.Insert(o.GetNamespace())
		}
	}
	return namespaces
}

func isUsable(o kube.Object) bool { return slices.Contains(generatedKinds, kube.Kind(o)) }

// Keep notes that a gone object is not pruned, so that what it uses is used.
func (u *Usage) Keep(o kube.Object) { u.going.Delete(o.GetUID()) }

// Of names what uses a ConfigMap or a Secret, or is "". Not counted are pods that run no
// more or are on their way out, older revisions without pods, and what is pruned in the same
// run, with all that it owns.
func (u *Usage) Of(o kube.Object) string {
	if !isUsable(o) {
		return ""
	}
	for _, user := range u.users {
		if uses(user, o) && !u.isGoing(user) {
			return kube.Name(user)
		}
	}
	return ""
}

// isGoing says whether an object is pruned, or goes with all of its owners.
func (u *Usage) isGoing(o kube.Object) bool {
	if u.going.Has(o.GetUID()) {
		return true
	}
	for _, owner := range o.GetOwnerReferences() {
		known := u.known[owner.UID]
		if !u.going.Has(owner.UID) && (known == nil || !u.isGoing(known)) {
			return false
		}
	}
	return len(o.GetOwnerReferences()) > 0
}

// uses says whether an object names a ConfigMap or a Secret in a field that is for one,
// such as configMapKeyRef or secretName, or together with its kind. The name alone is no proof, since a container or a
// label may have it as well, but for one that ends in a hash.
func uses(user, o kube.Object) bool {
	if _, hash := splitHash(o.GetName()); hash != "" && user.GetNamespace() == o.GetNamespace() &&
		mentions(user, func(text string) bool { return text == o.GetName() }) {
		return true
	}
	fields := maps.Clone(user.Object)
	delete(fields, "status")
	delete(fields, "metadata")
	annotations := map[string]any{}
	for key, value := range user.GetAnnotations() {
		annotations[key] = value
	}
	fields["annotations"] = annotations
	return (&reference{user: user, to: o}).in(fields, false)
}

// reference is what is looked for in the fields of a user.
type reference struct{ user, to kube.Object }

// in says whether a value has the reference. The field it is in may be one for objects of
// that kind. If it is not, a value may say the kind itself, as in the valuesFrom of a
// HelmRelease: {kind: Secret, name: tls}.
func (r *reference) in(value any, isFor bool) bool {
	switch value := value.(type) {
	case string:
		isHere := r.user.GetNamespace() == r.to.GetNamespace() && value == r.to.GetName()
		return isFor && (isHere || value == r.to.GetNamespace()+"/"+r.to.GetName())
	case []any:
		return slices.ContainsFunc(value, func(item any) bool { return r.in(item, isFor) })
	case map[string]any:
		if (isFor || value["kind"] == r.to.GetKind()) && r.is(value) {
			return true
		}
		for field, value := range value {
			if r.in(value, r.isFor(field)) {
				return true
			}
		}
	}
	return false
}

// isFor says whether a field is one for objects of that kind, such as configMapRef,
// imagePullSecrets or the annotation of an Ingress nginx.ingress.kubernetes.io/auth-secret.
// The certificateRefs of a Gateway are Secrets where they say no kind:
// https://gateway-api.sigs.k8s.io/reference/spec/#secretobjectreference
func (r *reference) isFor(field string) bool {
	field = strings.ToLower(field)
	return strings.Contains(field, strings.ToLower(r.to.GetKind())) ||
		r.to.GetKind() == "Secret" && strings.Contains(field, "certificateref")
}

// is says whether a field with a name, and maybe a namespace, is the reference.
func (r *reference) is(fields map[string]any) bool {
	namespace, given := fields["namespace"].(string)
	if !given {
		namespace = r.user.GetNamespace()
	}
	return fields["name"] == r.to.GetName() && namespace == r.to.GetNamespace()
}
