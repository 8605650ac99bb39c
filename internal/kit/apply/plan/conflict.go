package plan

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kube"
)

// conflict is a field that somebody else owns and that the manifests want changed:
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
type conflict struct{ field, manager string }

// owner is the manager in what the API server says of a conflict: conflict with
// "helm" using apps/v1.
var owner = regexp.MustCompile(`^conflict with "([^"]*)"`)

// conflicts returns those that an apply was refused for.
func conflicts(refusal error) []conflict {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(refusal) || !errors.As(refusal, &status) || status.Status().Details == nil {
		return nil
	}
	var all []conflict
	for _, cause := range status.Status().Details.Causes {
		if found := owner.FindStringSubmatch(cause.Message); found != nil && cause.Type == metav1.CauseTypeFieldManagerConflict {
			all = append(all, conflict{cause.Field, found[1]})
		}
	}
	return all
}

// IsFieldConflict says whether a refusal is because of who owns a field, not because
// somebody has changed the object at the same moment.
func IsFieldConflict(refusal error) bool { return len(conflicts(refusal)) > 0 }

// foreign leaves out the conflicts with those whose fields are taken over: what
// somebody set by hand with kubectl, what ko or Tilt did, and what was set before
// the API server kept a record.
func foreign(all []conflict) []conflict {
	var others []conflict
	for _, c := range all {
		byHand := c.manager == "kubectl" || strings.HasPrefix(c.manager, "kubectl-")
		if !byHand && c.manager != FieldManager && c.manager != "tilt" && c.manager != "before-first-apply" {
			others = append(others, c)
		}
	}
	return others
}

// conflictError says whose fields an object's manifest wants changed.
func conflictError(o kube.Object, conflicts []conflict) error {
	var lines strings.Builder
	for _, c := range conflicts {
		fmt.Fprintf(&lines, "\n  %s of %s", c.field, c.manager)
	}
	return fmt.Errorf("%s has fields that others manage:%s\n  take them over with --force-conflicts, or leave them out of the manifests",
		kube.NameIn(o), lines.String())
}
