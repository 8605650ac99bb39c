package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// podGrounds are the kinds that the API server looks up when a Pod that names
// them is created.
var podGrounds = map[schema.GroupKind]bool{
	{Kind: "ServiceAccount"}:                            true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}: true,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:        true,
}

// roleGrounds are the kinds that the API server looks up when somebody makes a
// binding to them who may not grant everything: nobody grants what they lack
// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).
var (
	roleGrounds = map[schema.GroupKind]bool{
		{Group: rbacGroup, Kind: "Role"}:        true,
		{Group: rbacGroup, Kind: "ClusterRole"}: true,
	}
	bindings = map[schema.GroupKind]bool{
		{Group: rbacGroup, Kind: "RoleBinding"}:        true,
		{Group: rbacGroup, Kind: "ClusterRoleBinding"}: true,
	}
)

const rbacGroup = "rbac.authorization.k8s.io"

// newGrounds returns the objects of the set that others may rest on and that
// are not in the cluster yet, or for definitions, not in this form.
func (c *Cluster) newGrounds(ctx context.Context, objects []object) ([]object, error) {
	var grounds []object
	for _, o := range objects {
		kind := o.GroupVersionKind().GroupKind()
		if !utils.IsNamespace(o) && !utils.IsCRD(o) && !podGrounds[kind] && !roleGrounds[kind] {
			continue
		}
		live, err := c.live(ctx, o)
		switch {
		case err != nil:
			return nil, err
		case live == nil:
			grounds = append(grounds, o)
		case utils.IsNamespace(o) && live.GetDeletionTimestamp() != nil:
			return nil, fmt.Errorf("%s is being deleted: try again when it is gone (kubectl wait --for=delete %s)", reference(o), reference(o))
		case utils.IsCRD(o):
			changed, err := c.changesSpec(ctx, o, live)
			if err != nil {
				return nil, err
			}
			if changed {
				grounds = append(grounds, o)
			}
		}
	}
	return grounds, nil
}

// changesSpec asks the API server whether applying o would change its spec. A
// refusal is no change; the dry run reports it.
func (c *Cluster) changesSpec(ctx context.Context, o, live object) (bool, error) {
	result, err := c.dryRunPatch(ctx, o)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return err == nil && result.GetGeneration() != live.GetGeneration(), nil
}

// live returns the object as it is in the cluster, or nil where it is not.
func (c *Cluster) live(ctx context.Context, o object) (object, error) {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(o.GroupVersionKind())
	err := c.client.Get(ctx, client.ObjectKeyFromObject(o), live)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking %s for %s: %w", c.host, reference(o), err)
	}
	return live, nil
}

// split separates the objects that the cluster can judge as it is from those
// that rest on grounds it does not have.
func split(objects, grounds []object) (now, later []object) {
	namespaces, kinds, forPods, forBindings := map[string]bool{}, map[schema.GroupKind]bool{}, false, false
	for _, o := range grounds {
		switch {
		case utils.IsNamespace(o):
			namespaces[o.GetName()] = true
		case utils.IsCRD(o):
			kinds[definedKind(o)] = true
		case roleGrounds[o.GroupVersionKind().GroupKind()]:
			forBindings = true
		default:
			forPods = true
		}
	}
	for _, o := range objects {
		kind := o.GroupVersionKind().GroupKind()
		if namespaces[o.GetNamespace()] || kinds[kind] || forPods && kind == (schema.GroupKind{Kind: "Pod"}) || forBindings && bindings[kind] {
			later = append(later, o)
		} else {
			now = append(now, o)
		}
	}
	return now, later
}

// without returns the objects that are not among others.
func without(objects, others []object) []object {
	return slices.DeleteFunc(slices.Clone(objects), func(o object) bool { return slices.Contains(others, o) })
}
