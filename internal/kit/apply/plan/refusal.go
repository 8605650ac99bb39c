package plan

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/koshop/koshop/internal/kube"
)

// Refusal says which object the cluster did not take, and where that object is. It
// is nil where there is no error.
func Refusal(o kube.Object, err error) error {
	if err == nil {
		return nil
	}
	where := ""
	if o.GetNamespace() != "" {
		where = " in namespace " + o.GetNamespace()
	}
	remedy := ""
	var status apierrors.APIStatus
	if errors.As(err, &status) && apierrors.IsNotFound(err) && status.Status().Details != nil && status.Status().Details.Kind == "namespaces" {
		remedy = ": apply the whole kustomization first, or create the namespace"
	}
	if kube.Kind(o) == kube.NamespaceKind && apierrors.IsForbidden(err) {
		remedy = "; ask who gave it to you: it is not as the manifests have it"
	}
	return fmt.Errorf("the cluster refuses %s%s: %w%s", kube.Name(o), where, err, remedy)
}
