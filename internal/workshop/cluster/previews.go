package cluster

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// previewLabels are on the Ingress of overlay preview, and on no other.
var previewLabels = client.MatchingLabels{"app.kubernetes.io/name": "preview", "app.kubernetes.io/part-of": "koshop"}

// Previews returns the Ingresses, with the host names, of the branches that are
// shown in a namespace, or in any for "".
func (s *Shop) Previews(ctx context.Context, namespace string) ([]networkingv1.Ingress, error) {
	var list networkingv1.IngressList
	if err := s.List(ctx, &list, client.InNamespace(namespace), previewLabels); err != nil {
		return nil, err
	}
	return list.Items, nil
}
