package transaction

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// freeRollout deletes the pods of the undone revision of a StatefulSet that never got
// ready: its controller waits for them, for ever, before it goes back
// (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback).
func (t *Transaction) freeRollout(ctx context.Context, before, undone kube.Object) error {
	revision := kube.Text(undone, "status", "updateRevision")
	if kube.Kind(before) != kube.StatefulSetKind || revision == kube.Text(before, "status", "updateRevision") {
		return nil
	}
	pods := &corev1.PodList{}
	err := t.cluster.List(ctx, pods, client.InNamespace(before.GetNamespace()), client.MatchingLabels{appsv1.StatefulSetRevisionLabel: revision})
	for i := range pods.Items {
		pod := &pods.Items[i]
		if owner := metav1.GetControllerOf(pod); owner == nil || owner.UID != before.GetUID() || kube.IsReady(*pod) {
			continue
		}
		if err = client.IgnoreNotFound(t.cluster.Remove(ctx, pod, kube.Alone)); err != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("it waits for its pods of the version that was undone, which cannot be deleted: %w", err)
	}
	return nil
}
