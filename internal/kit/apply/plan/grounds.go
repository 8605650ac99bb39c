package plan

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kube"
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

// findGrounds returns the changes of the set that others may rest on and that are
// not in the cluster yet, or for definitions, not in this form.
func (p *Plan) findGrounds(ctx context.Context) ([]*Change, error) {
	var grounds []*Change
	for _, change := range p.changes {
		o, kind := change.Object, kube.Kind(change.Object)
		switch {
		case kind != kube.NamespaceKind && kind != kube.DefinitionKind && !podGrounds[kind] && !roleGrounds[kind]:
		case change.Before == nil:
			grounds = append(grounds, change)
		case kind == kube.NamespaceKind && change.Before.GetDeletionTimestamp() != nil:
			return nil, fmt.Errorf("%s is being deleted: try again when it is gone (kubectl wait --for=delete %s)", kube.Name(o), kube.Name(o))
		case kind == kube.DefinitionKind:
			changed, err := p.changesSpec(ctx, change)
			if err != nil {
				return nil, err
			}
			if changed {
				grounds = append(grounds, change)
			}
		}
	}
	return grounds, nil
}

// changesSpec asks the API server whether a change would change the spec. A refusal
// is no change; the dry run reports it.
func (p *Plan) changesSpec(ctx context.Context, change *Change) (bool, error) {
	if isAsApplied(change.Before, change.Object) {
		return false, nil
	}
	result, err := dryRunApply(ctx, p.cluster, change.Object, true)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return err == nil && result.GetGeneration() != change.Before.GetGeneration(), nil
}

// split separates the changes that the cluster can judge as it is from those
// that rest on grounds it does not have.
func split(changes, grounds []*Change) (now, later []*Change) {
	namespaces, kinds, forPods, forBindings := map[string]bool{}, map[schema.GroupKind]bool{}, false, false
	for _, ground := range grounds {
		switch kind := kube.Kind(ground.Object); {
		case kind == kube.NamespaceKind:
			namespaces[ground.Object.GetName()] = true
		case kind == kube.DefinitionKind:
			kinds[definedKind(ground.Object)] = true
		case roleGrounds[kind]:
			forBindings = true
		default:
			forPods = true
		}
	}
	for _, change := range changes {
		kind := kube.Kind(change.Object)
		if namespaces[change.Object.GetNamespace()] || kinds[kind] || forPods && kind == (schema.GroupKind{Kind: "Pod"}) || forBindings && bindings[kind] {
			later = append(later, change)
		} else {
			now = append(now, change)
		}
	}
	return now, later
}

// without returns the changes that are not among others.
func without(changes, others []*Change) []*Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c *Change) bool { return slices.Contains(others, c) })
}
