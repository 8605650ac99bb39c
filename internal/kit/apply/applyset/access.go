package applyset

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kube"
)

// errDenied is what the API server says of a permission, if it says no more.
var errDenied = errors.New("the API server denies it to this user")

// permission is one that a run needs, in the words of a Role.
type permission struct {
	verb      string
	resource  schema.GroupResource
	namespace string
	name      string // of the object, "" where it is to be created
}

// CheckAccess returns an error that names every permission that this user lacks to write
// the parent, to prune objects, to list what may use them, and to make candidates members.
// Other permissions to list are asked for by [Parent.Find] and [Adoptable] themselves. It
// changes nothing.
func (p *Parent) CheckAccess(ctx context.Context, c *kube.Cluster, gone []kube.Object, candidates []Candidate) error {
	needed := []permission{{"create", parentResource, p.Namespace, ""}}
	if p.Exists() {
		needed[0].verb, needed[0].name = "patch", p.Name
	}
	of := func(verb string, o kube.Object) permission {
		return permission{verb, resourceOf(c, o), o.GetNamespace(), o.GetName()}
	}
	for _, candidate := range candidates {
		needed = append(needed, of("patch", candidate.Object), of("delete", candidate.Object))
	}
	for _, o := range gone {
		needed = append(needed, of("delete", o))
	}
	for _, q := range usersIn(usable(gone)) { // for FindUsage
		needed = append(needed, permission{"list", q.resource, q.namespace, ""})
	}
	refused := make([]error, len(needed))
	var group errgroup.Group
	group.SetLimit(kube.Concurrency)
	for i, permission := range needed {
		group.Go(func() error {
			refused[i] = permission.review(ctx, c)
			return nil
		})
	}
	_ = group.Wait() // The errors are in refused.
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	refused = slices.CompactFunc(refused, func(a, b error) bool { return a != nil && b != nil && a.Error() == b.Error() })
	return errors.Join(refused...)
}

// review asks whether this user has a permission:
// https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
// If the API server cannot say, the run itself has to show it.
func (p permission) review(ctx context.Context, c *kube.Cluster) error {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: p.verb, Group: p.resource.Group, Resource: p.resource.Resource, Namespace: p.namespace, Name: p.name,
		},
	}}
	if err := c.Create(ctx, review); err != nil || review.Status.Allowed {
		return nil
	}
	err := errDenied
	if reason := cmp.Or(review.Status.Reason, review.Status.EvaluationError); reason != "" {
		err = errors.New(reason)
	}
	return missing(err, p.verb, p.resource, p.namespace)
}
