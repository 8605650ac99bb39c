package reset

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/workshop/cluster"
)

// right is an object of a class's access.
type right struct {
	kind, namespace, name string
	remove                func(context.Context, string, metav1.DeleteOptions) error
}

func (r right) String() string { return r.kind + " " + r.name + " in namespace " + r.namespace }

// rights finds what classes have in namespaces that stay.
func rights(ctx context.Context, c *cluster.Cluster, going []string) ([]right, error) {
	ofClasses := metav1.ListOptions{LabelSelector: classLabel}
	bindings, err := c.RbacV1().RoleBindings(metav1.NamespaceAll).List(ctx, ofClasses)
	if err != nil {
		return nil, err
	}
	roles, err := c.RbacV1().Roles(metav1.NamespaceAll).List(ctx, ofClasses)
	if err != nil {
		return nil, err
	}
	accounts, err := c.CoreV1().ServiceAccounts(metav1.NamespaceAll).List(ctx, ofClasses)
	if err != nil {
		return nil, err
	}
	var found []right
	for _, o := range bindings.Items {
		found = append(found, right{"rolebinding", o.Namespace, o.Name, c.RbacV1().RoleBindings(o.Namespace).Delete})
	}
	for _, o := range roles.Items {
		found = append(found, right{"role", o.Namespace, o.Name, c.RbacV1().Roles(o.Namespace).Delete})
	}
	for _, o := range accounts.Items {
		found = append(found, right{"serviceaccount", o.Namespace, o.Name, c.CoreV1().ServiceAccounts(o.Namespace).Delete})
	}
	return slices.DeleteFunc(found, func(r right) bool { return slices.Contains(going, r.namespace) }), nil
}
