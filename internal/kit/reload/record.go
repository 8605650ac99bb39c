package reload

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// recordLabel marks the ConfigMaps.
const recordLabel = "koshop.dev/live-reload"

// record has pods that are made from now on begin with a program. One for a debugger is
// larger than what the cluster keeps for that, and of no use without it.
func (r *Reload) record(ctx context.Context, packed *parcel.Parcel, targets []target) error {
	if r.Debug {
		return nil
	}
	slices.SortFunc(targets, func(a, b target) int { return b.started.Compare(a.started) })
	done := map[string]bool{}
	for _, t := range targets { // The newest pod has the image that others will have.
		if t.record == "" || t.image == "" || done[t.record] {
			continue
		}
		done[t.record] = true
		parts, err := packed.Record(t.image)
		if err == nil {
			err = r.writeParts(ctx, t, parts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeParts writes the ConfigMaps of a container, the one that names the others last.
func (r *Reload) writeParts(ctx context.Context, t target, parts []map[string][]byte) error {
	owners := r.owners(ctx, t.owner)
	for i, part := range slices.Backward(parts) {
		wanted := &corev1.ConfigMap{BinaryData: part}
		wanted.Name, wanted.Namespace = wire.RecordName(t.record, i), r.Cluster.Namespace
		wanted.Labels, wanted.OwnerReferences = map[string]string{recordLabel: "newest"}, owners
		wanted.Annotations = map[string]string{programAnnotation: r.program.ImportPath, selectorAnnotation: r.Selector}
		err := r.Cluster.Update(ctx, wanted)
		if apierrors.IsNotFound(err) {
			err = r.Cluster.Create(ctx, wanted)
		}
		if err != nil {
			return fmt.Errorf("writing ConfigMap %s: %w", wanted.Name, err)
		}
	}
	return nil
}

const (
	// programAnnotation says of which program a ConfigMap keeps the newest version.
	programAnnotation = "koshop.dev/program"
	// selectorAnnotation says for which pods.
	selectorAnnotation = "koshop.dev/selector"
)

// forget deletes what is kept of the program for the pods: an image that is made of its
// code now is newer. The image is published in any case.
func (r *Reload) forget(ctx context.Context) {
	var all corev1.ConfigMapList
	err := r.Cluster.List(ctx, &all, client.InNamespace(r.Cluster.Namespace), client.HasLabels{recordLabel})
	if apierrors.IsForbidden(err) {
		return // Who may not see any has made none.
	}
	for i := range all.Items {
		said := all.Items[i].Annotations
		if said[programAnnotation] == r.program.ImportPath && said[selectorAnnotation] == r.Selector {
			err = errors.Join(err, client.IgnoreNotFound(r.Cluster.Delete(ctx, &all.Items[i])))
		}
	}
	if err != nil {
		r.Log.Printf("new pods may begin with an older version of %s: deleting what is kept of it: %v", r.program.ImportPath, err)
	}
}

// owners returns the owner of the pods that are made from now on, so that what is
// written goes with it: of a ReplicaSet, its Deployment. Who may not read that leaves it
// behind.
func (r *Reload) owners(ctx context.Context, of *metav1.OwnerReference) []metav1.OwnerReference {
	if of == nil {
		return nil
	}
	if of.Kind == "ReplicaSet" {
		set := &unstructured.Unstructured{}
		set.SetGroupVersionKind(schema.FromAPIVersionAndKind(of.APIVersion, of.Kind))
		if err := r.Cluster.Get(ctx, client.ObjectKey{Namespace: r.Cluster.Namespace, Name: of.Name}, set); err != nil {
			return nil
		}
		if above := metav1.GetControllerOf(set); above != nil {
			of = above
		}
	}
	return []metav1.OwnerReference{{APIVersion: of.APIVersion, Kind: of.Kind, Name: of.Name, UID: of.UID}}
}

// recordOf returns what begins the names of the ConfigMaps that a pod mounts for a
// container, "" if it mounts none.
func recordOf(pod *corev1.Pod, container string) string {
	for _, volume := range pod.Spec.Volumes {
		if volume.Name == wire.RecordVolume(container) && volume.Projected != nil && len(volume.Projected.Sources) > 0 && volume.Projected.Sources[0].ConfigMap != nil {
			return wire.RecordPrefix(volume.Projected.Sources[0].ConfigMap.Name)
		}
	}
	return ""
}
