package plan

import (
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/koshop/koshop/internal/kube"
)

// IsGiven says whether a refusal to change an object is none: a namespace may be
// given to somebody who may not change it, since by its labels they could switch
// Pod Security off. To them it is unchanged, if it is what the manifests ask for.
func IsGiven(wanted, live kube.Object, refusal error) bool {
	return kube.Kind(wanted) == kube.NamespaceKind && apierrors.IsForbidden(refusal) && live != nil && holds(live.Object, wanted.Object)
}

// IsKept says whether a refusal to delete an object is none, for the same reason.
func IsKept(o kube.Object, refusal error) bool {
	return kube.Kind(o) == kube.NamespaceKind && apierrors.IsForbidden(refusal)
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
