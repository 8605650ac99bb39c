package reset

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// shopLabel and shopName are on all that the overlays make.
const (
	shopLabel = "app.kubernetes.io/part-of"
	shopName  = "koshop"
)

// made reports whether the workshop made a namespace, and not only its contents:
// of those who own fields of it, the only one from its first second has the
// label. `ko apply` labels a namespace that is there, too, but that one has an
// owner already.
func made(namespace *corev1.Namespace) bool {
	if namespace.Labels[shopLabel] != shopName {
		return false
	}
	found := false
	for _, entry := range namespace.ManagedFields {
		later := entry.Time != nil && entry.Time.Sub(namespace.CreationTimestamp.Time) > time.Second // Both are rounded to seconds.
		if later || entry.Subresource != "" {
			continue
		}
		if !owns(entry, shopLabel) {
			return false
		}
		found = true
	}
	return found
}

func owns(entry metav1.ManagedFieldsEntry, label string) bool {
	return entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.String(), `"f:`+label+`"`)
}
