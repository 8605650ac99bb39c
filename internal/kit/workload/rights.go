package workload

import (
	"cmp"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// bind notes which ServiceAccounts a binding gives rights to.
func (r *reader) bind(o manifest.Object, subjects []rbacv1.Subject) {
	for _, subject := range subjects {
		if subject.Kind == rbacv1.ServiceAccountKind {
			r.bound[manifest.Key{Namespace: cmp.Or(subject.Namespace, o.Metadata.Namespace), Name: subject.Name}] = true
		}
	}
}

// markClusterUsers marks the workloads whose ServiceAccount has rights.
func (r *reader) markClusterUsers() {
	for _, w := range r.plan.Workloads {
		spec := w.Template.Spec
		withoutToken := spec.AutomountServiceAccountToken != nil && !*spec.AutomountServiceAccountToken
		w.UsesCluster = !withoutToken && r.bound[manifest.Key{Namespace: w.Namespace, Name: cmp.Or(spec.ServiceAccountName, "default")}]
	}
}
