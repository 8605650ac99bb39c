package plan

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kube"
)

// WhenEnded is the annotation by which a Job says, with the value "when-ended",
// that it may be replaced once it has ended.
const WhenEnded = "koshop.dev/replace"

// kept are the kinds that are never replaced: with them goes what nobody can make
// anew.
var kept = map[schema.GroupKind]string{
	{Kind: "PersistentVolumeClaim"}: "its data would be lost",
	{Kind: "PersistentVolume"}:      "its data would be lost",
	kube.NamespaceKind:              "everything in it would be lost",
	kube.DefinitionKind:             "every object of its kind would be lost",
}

// fixed is how the API server and the authors of definitions say that a field
// cannot change.
var fixed = regexp.MustCompile(`(?i)immutable|may not (be )?change|(can ?not|must not|not allowed to) (be )?(change|update|modif)|updates? to .*forbidden|may not be update`)

// immutable returns the fields because of which an object cannot be changed, though
// it could be made anew, and nil where that is not why it was refused.
func (c *Change) immutable(ctx context.Context, cluster *kube.Cluster, refusal error) []metav1.StatusCause {
	var status apierrors.APIStatus
	if c.Before == nil || !apierrors.IsInvalid(refusal) || !errors.As(refusal, &status) || status.Status().Details == nil {
		return nil
	}
	causes := status.Status().Details.Causes
	all := len(causes) > 0 && !slices.ContainsFunc(causes, func(cause metav1.StatusCause) bool { return !fixed.MatchString(cause.Message) })
	if all || couldBeMade(ctx, cluster, c.Object) {
		return causes
	}
	return nil
}

// couldBeMade asks whether the API server would take the object if it were not there
// yet. Rules of a definition's author say in any words that a field may not change.
func couldBeMade(ctx context.Context, c *kube.Cluster, o kube.Object) bool {
	_, err := makeElsewhere(ctx, c, o)
	return err == nil
}

// mayReplace says whether an object may be deleted and made anew.
func (c *Change) mayReplace() bool {
	if _, never := kept[kube.Kind(c.Object)]; never {
		return false
	}
	return c.replace || c.replaceable() && kube.HasEnded(c.Before)
}

func (c *Change) replaceable() bool {
	return kube.Kind(c.Object) == kube.JobKind && c.Object.GetAnnotations()[WhenEnded] == "when-ended"
}

// immutableError says what of an object cannot be changed, and what to do.
func (c *Change) immutableError(causes []metav1.StatusCause) error {
	var lines strings.Builder
	for _, cause := range causes {
		field := strings.TrimPrefix(cause.Field, ".")
		changes := differences(c.Object.Object, c.Before.Object, field)
		for _, change := range changes {
			fmt.Fprintf(&lines, "\n  %s", change)
		}
		if len(changes) == 0 {
			fmt.Fprintf(&lines, "\n  %s: %s", field, reason(cause.Message))
		}
	}
	return fmt.Errorf("%s is there, and cannot be changed so:%s\n  %s", kube.NameIn(c.Object), lines.String(), c.remedy())
}

func (c *Change) remedy() string {
	why, never := kept[kube.Kind(c.Object)]
	switch {
	case never:
		return "undo that change in the manifests, or delete it yourself if you mean it: " + why
	case c.replaceable():
		return "it has not ended: wait until it has, or replace it with --replace, which deletes it and makes it anew"
	case kube.Kind(c.Object) == kube.JobKind:
		return "replace it with --replace, which deletes it and makes it anew, or give it the annotation " + WhenEnded + ": when-ended"
	}
	return "replace it with --replace, which deletes it and makes it anew, or undo that change in the manifests"
}

// reason leaves out the value that stands in what the API server says of a field,
// which may be kilobytes long.
func reason(message string) string {
	if before, after, found := strings.Cut(message, "Invalid value: "); found && before == "" {
		if i := strings.LastIndex(after, ": "); i >= 0 {
			return after[i+2:]
		}
	}
	return strings.TrimPrefix(message, "Forbidden: ")
}
