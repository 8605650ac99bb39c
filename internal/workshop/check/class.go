package check

import (
	"context"
	"errors"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/report"
)

const (
	makeClass     = "bin/workshop class up --attendees ada,grace"
	restoreClass  = "bin/workshop class up once more, with the same attendees"
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
	return []string{"system:serviceaccounts", a.neighbours(), "system:authenticated"}
}

// neighbours is the group of all accounts in the namespace of the attendee's.
func (a attendee) neighbours() string {
	namespace, _, _ := strings.Cut(strings.TrimPrefix(a.account, accountPrefix), ":")
	return "system:serviceaccounts:" + namespace
}

// fault is what a class would not have if all were as `workshop class up` makes it.
type fault struct{ saw, next string }

func (f fault) Error() string { return f.saw }

// found is what came of looking at a class: a fault, or that it could not be looked at.
func found(err error) report.Finding {
	var wrong fault
	if errors.As(err, &wrong) {
		return report.Fail(wrong.next, "%s", wrong.saw)
	}
	return forLeaders(err)
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
	ofClasses := client.HasLabels{classLabel}
	var namespaces corev1.NamespaceList
	if err := l.cluster.List(ctx, &namespaces, ofClasses); err != nil {
		return nil, forLeaders(err)
	}
	places := map[string]bool{l.cluster.Namespace: true} // and whether it is shared
	for _, namespace := range namespaces.Items {
		places[namespace.Name] = false
	}
	var class []attendee
	var names []string
	for place, shared := range places {
		var bindings rbacv1.RoleBindingList
		if err := l.cluster.List(ctx, &bindings, client.InNamespace(place), ofClasses); err != nil {
			return nil, forLeaders(err)
		}
		for _, account := range accounts(bindings.Items, place) {
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
	slices.SortFunc(class, func(a, b attendee) int { return strings.Compare(a.account, b.account) })
	return class, report.Pass("%d: %s", len(class), strings.Join(names, ", "))
}

// accounts returns those of a namespace that have what bindings give, once each.
func accounts(bindings []rbacv1.RoleBinding, namespace string) []string {
	var names []string
	for _, binding := range bindings {
		for _, subject := range binding.Subjects {
			name := accountPrefix + subject.Namespace + ":" + subject.Name
			if subject.Kind == rbacv1.ServiceAccountKind && subject.Namespace == namespace && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
