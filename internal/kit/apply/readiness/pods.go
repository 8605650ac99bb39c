package readiness

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// troubleTimeout bounds the look at the pods of a workload that is not ready.
const troubleTimeout = 5 * time.Second

// podTroubles says why the containers of a workload's pods do not run, which
// the workload's own status does not.
func (w *waiter) podTroubles(ctx context.Context, o kube.Object) string {
	labels, found, err := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	if err != nil || !found {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, troubleTimeout)
	defer cancel()
	var pods corev1.PodList
	if err := w.cluster.List(ctx, &pods, client.InNamespace(o.GetNamespace()), client.MatchingLabels(labels)); err != nil {
		return fmt.Sprintf(" (its pods cannot be listed: %v)", err)
	}
	var troubles strings.Builder
	for _, pod := range pods.Items {
		for _, trouble := range kube.Troubles(&pod) {
			fmt.Fprintf(&troubles, "\n  pod %s: %s", pod.Name, trouble.Text)
		}
	}
	return troubles.String()
}
