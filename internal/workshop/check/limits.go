package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/report"
)

// lookAtLimits says what each attendee may take from the others. How much the
// overlays need is not known here; the rest of the limits is as the class gives it.
func (l *look) lookAtLimits(ctx context.Context, attendees []attendee) report.Finding {
	terms, err := class.ReadTerms()
	if err != nil {
		return report.Fail("", "%v", err)
	}
	quotas := map[string][]string{} // the namespaces that have a quota
	own := 0
	for _, a := range attendees {
		if a.shared {
			continue
		}
		own++
		quota, err := l.limits(ctx, a.namespace, terms)
		if err != nil {
			return found(err)
		}
		quotas[quota] = append(quotas[quota], a.namespace)
	}
	if own == 0 {
		return report.Pass("none: nobody of the class may deploy")
	}
	var lines []string
	for _, quota := range slices.Sorted(maps.Keys(quotas)) {
		who := strings.Join(quotas[quota], ", ")
		if len(quotas) == 1 && own > 1 {
			who = fmt.Sprintf("each of %d namespaces", own)
		}
		lines = append(lines, who+": "+quota)
	}
	if len(quotas) > 1 { // The class gives all the same.
		return report.Warn(restoreClass, "%s", strings.Join(lines, "\n"))
	}
	return report.Pass("%s", lines[0])
}

// limits returns what the quota of a namespace is. What is missing, or differs from
// what the class gives, is a fault.
func (l *look) limits(ctx context.Context, namespace string, terms class.Terms) (string, error) {
	var quota corev1.ResourceQuota
	if err := l.get(ctx, namespace, class.Bounds, &quota); err != nil {
		return "", missing(err, namespace, "quota")
	}
	var limits corev1.LimitRange
	if err := l.get(ctx, namespace, class.Bounds, &limits); err != nil {
		return "", missing(err, namespace, "limits for containers")
	}
	if err := l.get(ctx, namespace, class.Bounds, &networkingv1.NetworkPolicy{}); err != nil {
		return "", missing(err, namespace, "network policy")
	}
	if !equality.Semantic.DeepEqual(limits.Spec, terms.Limits) {
		return "", fault{"the limits for containers in namespace " + namespace + " are not those of a class", restoreClass}
	}
	for _, name := range slices.Sorted(maps.Keys(terms.Counts)) {
		want := terms.Counts[name]
		if got, bounded := quota.Spec.Hard[name]; !bounded || !got.Equal(want) {
			return "", fault{fmt.Sprintf("the quota of namespace %s is not that of a class: %s is not %s", namespace, name, want.String()), restoreClass}
		}
	}
	var parts []any
	for _, name := range []corev1.ResourceName{corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourcePods} {
		hard, bounded := quota.Spec.Hard[name]
		if !bounded {
			return "", fault{fmt.Sprintf("the quota of namespace %s does not bound %s", namespace, name), restoreClass}
		}
		parts = append(parts, hard.String())
	}
	return fmt.Sprintf("%s CPU, %s, %s pods", parts...), nil
}

// missing makes a fault of an error that says that something is not there.
func missing(err error, namespace, what string) error {
	if apierrors.IsNotFound(err) {
		return fault{"namespace " + namespace + " has no " + what, restoreClass}
	}
	return err
}
