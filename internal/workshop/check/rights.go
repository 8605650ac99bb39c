package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/report"
)

// lookAtRights looks whether the attendees have the rights of a class, and no other
// that is theirs by name, and asks the API server what comes of all that there is.
func (l *look) lookAtRights(ctx context.Context, attendees []attendee) report.Finding {
	if err := l.lookAtBindings(ctx, attendees); err != nil {
		return found(err)
	}
	for i, a := range attendees {
		if err := l.ask(ctx, a, attendees[(i+1)%len(attendees)]); err != nil {
			return found(err)
		}
	}
	return report.Pass("each has the rights of the class in their namespace, and no others")
}

// binding is a RoleBinding, or in no namespace a ClusterRoleBinding.
type binding struct {
	metav1.ObjectMeta
	role     rbacv1.RoleRef
	subjects []rbacv1.Subject
}

func (b binding) String() string {
	if b.Namespace == "" {
		return "clusterrolebinding/" + b.Name
	}
	return "rolebinding/" + b.Name + " in " + b.Namespace
}

// argument names it to kubectl.
func (b binding) argument() string {
	if b.Namespace == "" {
		return "clusterrolebinding " + b.Name
	}
	return "--namespace " + b.Namespace + " rolebinding " + b.Name
}

func (l *look) bindings(ctx context.Context) ([]binding, error) {
	var all []binding
	var namespaced rbacv1.RoleBindingList
	if err := l.cluster.List(ctx, &namespaced); err != nil {
		return nil, err
	}
	for _, b := range namespaced.Items {
		all = append(all, binding{b.ObjectMeta, b.RoleRef, b.Subjects})
	}
	var clusterwide rbacv1.ClusterRoleBindingList
	if err := l.cluster.List(ctx, &clusterwide); err != nil {
		return nil, err
	}
	for _, b := range clusterwide.Items {
		all = append(all, binding{b.ObjectMeta, b.RoleRef, b.Subjects})
	}
	return all, nil
}

// names reports whether a binding gives something to an attendee, or to all the
// accounts of their namespace.
func (b binding) names(a attendee) bool {
	return slices.ContainsFunc(b.subjects, func(s rbacv1.Subject) bool {
		switch s.Kind {
		case rbacv1.ServiceAccountKind:
			return accountPrefix+cmp.Or(s.Namespace, b.Namespace)+":"+s.Name == a.account
		case rbacv1.UserKind:
			return s.Name == a.account
		default:
			return s.Name == a.neighbours()
		}
	})
}

// lookAtBindings holds what the attendees are given to what a class gives them.
func (l *look) lookAtBindings(ctx context.Context, attendees []attendee) error {
	terms, err := class.ReadTerms()
	if err != nil {
		return err
	}
	bindings, err := l.bindings(ctx)
	if err != nil {
		return err
	}
	var list rbacv1.RoleList
	if err := l.cluster.List(ctx, &list, client.HasLabels{classLabel}); err != nil {
		return err
	}
	roles := map[string][]rbacv1.PolicyRule{} // by NAMESPACE/NAME
	for _, role := range list.Items {
		roles[role.Namespace+"/"+role.Name] = role.Rules
	}
	for _, b := range bindings {
		for _, a := range attendees {
			if !b.names(a) {
				continue
			}
			right := given(terms, a, attendees, b.Namespace)
			switch {
			case b.Labels[classLabel] == "" || right == nil || b.role.Kind != "Role":
				return fault{fmt.Sprintf("%s gives %s the rights of %s/%s, and a class does not", b, a.account, strings.ToLower(b.role.Kind), b.role.Name),
					"kubectl delete " + b.argument() + ", and then " + restoreClass}
			case !equality.Semantic.DeepEqual(roles[b.Namespace+"/"+b.role.Name], right):
				return fault{fmt.Sprintf("role/%s in %s gives %s other rights than a class does", b.role.Name, b.Namespace, a.account), restoreClass}
			}
		}
	}
	return nil
}

// given returns the rights that a class gives an attendee in a namespace: none in that
// of another attendee, nor in all at once, which is "".
func given(terms class.Terms, a attendee, attendees []attendee, namespace string) []rbacv1.PolicyRule {
	switch {
	case namespace == a.namespace && a.shared:
		return terms.Shared
	case namespace == a.namespace:
		return terms.Own
	case namespace == "" || slices.ContainsFunc(attendees, func(other attendee) bool { return other.namespace == namespace }):
		return nil
	}
	return terms.Connect
}

// ask asks the API server what an attendee may and may not do, there and where
// another one is.
func (l *look) ask(ctx context.Context, a, other attendee) error {
	type question struct {
		verb, resource, namespace string
		may                       bool
	}
	questions := []question{
		{"list", "pods", a.namespace, true},
		{"create", "deployments.apps", a.namespace, !a.shared},
		{"list", "secrets", a.namespace, false},
		{"list", "pods", metav1.NamespaceSystem, false},
		{"create", "namespaces", "", false},
	}
	if other.namespace != a.namespace {
		questions = append(questions, question{"create", "deployments.apps", other.namespace, false})
	}
	for _, q := range questions {
		resource, group, _ := strings.Cut(q.resource, ".")
		review := &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User:               a.account,
				Groups:             a.groups(),
				ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: q.verb, Group: group, Resource: resource, Namespace: q.namespace},
			},
		}
		if err := l.cluster.Create(ctx, review); err != nil {
			return err
		}
		if review.Status.Allowed != q.may {
			return fault{fmt.Sprintf("%s may %s%s %s in %q", a.account, map[bool]string{true: "not ", false: ""}[q.may], q.verb, q.resource, q.namespace),
				restoreClass + "; see who else gives rights: kubectl get rolebindings,clusterrolebindings --all-namespaces"}
		}
	}
	return nil
}
