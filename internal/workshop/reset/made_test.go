package reset

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A namespace goes only if what owns its label made it.
func TestMade(t *testing.T) {
	begin := time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC)
	owner := func(manager string, after time.Duration, label string) metav1.ManagedFieldsEntry {
		fields := metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{"f:` + label + `":{}}}}`)
		return metav1.ManagedFieldsEntry{Manager: manager, Time: &metav1.Time{Time: begin.Add(after)}, FieldsV1: fields}
	}
	shop := map[string]string{shopLabel: shopName}
	status := owner("kube-controller-manager", 0, "x")
	status.Subresource = "status"
	for name, test := range map[string]struct {
		labels map[string]string
		owners []metav1.ManagedFieldsEntry
		want   bool
	}{
		"made by ko":                      {shop, []metav1.ManagedFieldsEntry{owner("ko", 0, shopLabel)}, true},
		"made by Tilt":                    {shop, []metav1.ManagedFieldsEntry{owner("tilt", time.Second, shopLabel)}, true},
		"made by ko, and labelled later":  {shop, []metav1.ManagedFieldsEntry{owner("ko", 0, shopLabel), owner("kubectl-label", time.Hour, "team")}, true},
		"made by ko, and has a status":    {shop, []metav1.ManagedFieldsEntry{owner("ko", 0, shopLabel), status}, true},
		"there before ko":                 {shop, []metav1.ManagedFieldsEntry{owner("kubectl-create", 0, "kubernetes.io/metadata.name"), owner("ko", time.Hour, shopLabel)}, false},
		"there a moment before ko":        {shop, []metav1.ManagedFieldsEntry{owner("kubectl-create", 0, "kubernetes.io/metadata.name"), owner("ko", 0, shopLabel)}, false},
		"labelled by ko, made by nobody":  {shop, []metav1.ManagedFieldsEntry{owner("ko", time.Hour, shopLabel)}, false},
		"of another part":                 {map[string]string{shopLabel: "bank"}, []metav1.ManagedFieldsEntry{owner("ko", 0, shopLabel)}, false},
		"without a label":                 {nil, []metav1.ManagedFieldsEntry{owner("ko", 0, shopLabel)}, false},
		"without anybody who owns fields": {shop, nil, false},
	} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			CreationTimestamp: metav1.Time{Time: begin}, Labels: test.labels, ManagedFields: test.owners,
		}}
		if got := made(namespace); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}
