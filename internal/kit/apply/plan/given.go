package apply

import (
	"context"
	"reflect"

	"github.com/fluxcd/pkg/ssa/utils"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// keptAction is what happens to a namespace that may not be deleted.
const keptAction = "kept, because you may not delete it"

// isGiven says whether a refusal to change an object is none: a namespace may be
// given to somebody who may not change it, since by its labels they could switch
// Pod Security off. To them it is unchanged, if it is what the manifests ask for.
func (c *Cluster) isGiven(ctx context.Context, o object, refusal error) bool {
	if !utils.IsNamespace(o) || !apierrors.IsForbidden(refusal) {
		return false
	}
	live, err := c.live(ctx, o)
	return err == nil && live != nil && holds(live.Object, o.Object)
}

// isKept says whether a refusal to delete an object is none, for the same reason.
func isKept(o object, refusal error) bool {
	return utils.IsNamespace(o) && apierrors.IsForbidden(refusal)
}

// holds says whether every field that is wanted is there with the same value.
func holds(live, wanted any) bool {
	fields, ok := wanted.(map[string]any)
	if !ok {
		return reflect.DeepEqual(live, wanted)
	}
	there, ok := live.(map[string]any)
	if !ok {
		return len(fields) == 0
	}
	for name, value := range fields {
		if !holds(there[name], value) {
			return false
		}
	}
	return true
}
