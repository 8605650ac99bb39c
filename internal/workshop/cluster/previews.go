package cluster

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// previewLabels are on the Ingress of overlay preview, and on no other.
const previewLabels = "app.kubernetes.io/name=preview,app.kubernetes.io/part-of=koshop"

// Previews returns the Ingresses, with the host names, of the branches that are
// shown in a namespace, or in any for [metav1.NamespaceAll].
func (c *Cluster) Previews(ctx context.Context, namespace string) ([]networkingv1.Ingress, error) {
	list, err := c.NetworkingV1().Ingresses(namespace).List(ctx, metav1.ListOptions{LabelSelector: previewLabels})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}
