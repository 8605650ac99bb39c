package check

import (
	"context"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/report"
)

const (
	makeClass     = "workshop class up --attendees ada,grace"
	stepAttendees = "attendees"
	// classLabel is on what a class is given; see `workshop class`.
	classLabel = class.Label
	// accountPrefix begins what the API server calls a service account, before
	// NAMESPACE:NAME.
	accountPrefix = "system:serviceaccount:"
)

// attendee is somebody of a class.
type attendee struct {
	account   string // as the API server names it
	namespace string
	shared    bool // with the class
}

// groups are those that the API server puts a service account into.
func (a attendee) groups() []string {
	namespace, _, _ := strings.Cut(strings.TrimPrefix(a.account, accountPrefix), ":")
	return []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}
}

func (l *look) class() []report.Step {
	var class []attendee
	look := func(at func(context.Context, []attendee) report.Finding) func(context.Context) report.Finding {
		return func(ctx context.Context) report.Finding { return at(ctx, class) }
	}
	return []report.Step{
		{Name: stepCluster, Look: l.lookAtCluster},
		{Name: stepAttendees, Needs: []string{stepCluster}, Look: func(ctx context.Context) (finding report.Finding) {
			class, finding = l.lookForAttendees(ctx)
			return finding
		}},
		{Name: "limits", Needs: []string{stepAttendees}, Look: look(l.lookAtLimits)},
		{Name: "rights", Needs: []string{stepAttendees}, Look: look(l.lookAtRights)},
		{Name: "intercepts", Needs: []string{stepAttendees}, Look: look(l.lookAtPersonal)},
	}
}

// lookForAttendees finds them by their accounts' rights in the namespaces in
// which they work.
func (l *look) lookForAttendees(ctx context.Context) ([]attendee, report.Finding) {
	namespaces, err := l.cluster.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: classLabel})
	if err != nil {
		return nil, forLeaders(err)
	}
	places := map[string]bool{l.cluster.Namespace: true} // and whether it is shared
	for _, namespace := range namespaces.Items {
		places[namespace.Name] = false
	}
	var class []attendee
	var names []string
	for place, shared := range places {
		bindings, err := l.cluster.RbacV1().RoleBindings(place).List(ctx, metav1.ListOptions{LabelSelector: classLabel})
		if err != nil {
			return nil, forLeaders(err)
		}
		for _, account := range accounts(bindings.Items) {
			class = append(class, attendee{account, place, shared})
			name := place
			if shared {
				name = account[strings.LastIndex(account, ":")+1:]
			}
			names = append(names, name)
		}
	}
	if len(class) == 0 {
		return nil, report.Fail(makeClass, "there is no class")
	}
	slices.Sort(names)
	return class, report.Pass("%d: %s", len(class), strings.Join(names, ", "))
}

// accounts returns who has what bindings give, once each.
func accounts(bindings []rbacv1.RoleBinding) []string {
	var names []string
	for _, binding := range bindings {
		for _, subject := range binding.Subjects {
			name := accountPrefix + subject.Namespace + ":" + subject.Name
			if subject.Kind == rbacv1.ServiceAccountKind && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// lookAtLimits looks whether one attendee can take what all need.
func (l *look) lookAtLimits(ctx context.Context, class []attendee) report.Finding {
	own := 0
	for _, a := range class {
		if a.shared {
			continue
		}
		own++
		quotas, err := l.cluster.CoreV1().ResourceQuotas(a.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return report.Fail("", "%v", err)
		}
		limits, err := l.cluster.CoreV1().LimitRanges(a.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return report.Fail("", "%v", err)
		}
		if len(quotas.Items) == 0 || len(limits.Items) == 0 {
			return report.Fail("workshop class up once more, with the same attendees", "namespace %s has no quota, or no limits for containers", a.namespace)
		}
	}
	if own == 0 {
		return report.Pass("none: nobody of the class may deploy")
	}
	return report.Pass("%d namespaces have a quota", own)
}

// lookAtRights asks the API server what the attendees may and may not do.
func (l *look) lookAtRights(ctx context.Context, class []attendee) report.Finding {
	for i, a := range class {
		deploy := !a.shared
		type question struct {
			verb, resource, namespace string
			may                       bool
		}
		questions := []question{
			{"list", "pods", a.namespace, true},
			{"create", "deployments.apps", a.namespace, deploy},
			{"list", "secrets", a.namespace, false},
			{"list", "pods", metav1.NamespaceSystem, false},
			{"create", "namespaces", "", false},
		}
		if other := class[(i+1)%len(class)]; other.namespace != a.namespace {
			questions = append(questions, question{"create", "deployments.apps", other.namespace, false})
		}
		for _, q := range questions {
			resource, group, _ := strings.Cut(q.resource, ".")
			review, err := l.cluster.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
				Spec: authorizationv1.SubjectAccessReviewSpec{
					User:               a.account,
					Groups:             a.groups(),
					ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: q.verb, Group: group, Resource: resource, Namespace: q.namespace},
				},
			}, metav1.CreateOptions{})
			if err != nil {
				return forLeaders(err)
			}
			if review.Status.Allowed != q.may {
				return report.Fail("workshop class up once more; see who else gives rights: kubectl get rolebindings,clusterrolebindings --all-namespaces",
					"%s may %s%s %s in %q", a.account, map[bool]string{true: "not ", false: ""}[q.may], q.verb, q.resource, q.namespace)
			}
		}
	}
	return report.Pass("each may do the workshop in their namespace, and nothing elsewhere")
}
