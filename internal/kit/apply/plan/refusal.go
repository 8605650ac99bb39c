package plan

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/koshop/koshop/internal/kube"
)

// Refusal says which object the cluster did not take, and where that object is. It
// is nil where there is no error.
func Refusal(o kube.Object, err error) error {
	if err == nil {
		return nil
	}
	remedy := ""
	var status apierrors.APIStatus
	if errors.As(err, &status) && apierrors.IsNotFound(err) && status.Status().Details != nil && status.Status().Details.Kind == "namespaces" {
		remedy = ": apply the whole kustomization first, or create the namespace"
	}
	if kube.Kind(o) == kube.NamespaceKind && apierrors.IsForbidden(err) {
		remedy = "; ask who gave it to you: it is not as the manifests have it"
	}
	return fmt.Errorf("the cluster refuses %s: %w%s", kube.NameIn(o), shorten(err), remedy)
}

// longest is how long a message of the API server may be that is shown as it is.
const longest = 500

// shorten leaves out values that the API server shows of what it refuses: that of a
// pod's template has kilobytes, in a notation of Go's.
func shorten(err error) error {
	var status apierrors.APIStatus
	if len(err.Error()) <= longest || !errors.As(err, &status) || status.Status().Details == nil || len(status.Status().Details.Causes) == 0 {
		return err
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		fields = append(fields, strings.TrimPrefix(cause.Field, ".")+": "+reason(cause.Message))
	}
	return short{strings.Join(fields, "; "), err}
}

// short is an error in fewer words.
type short struct {
	text string
	error
}

func (s short) Error() string { return s.text }
func (s short) Unwrap() error { return s.error }
