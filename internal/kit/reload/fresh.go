package reload

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/reload/inject"
	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kube"
)

// freshAnnotation is on pods that were made because those before ran something else
// than their image.
const freshAnnotation = "koshop.dev/fresh-at"

// Fresh has objects under live reload that are about to be applied begin with their
// images: what was sent to their pods before is older. If the image is the same, there
// would be no new pods without that, and new ones would begin with what was sent. What
// is kept for them is deleted by the function that it returns.
func Fresh(ctx context.Context, c *kube.Cluster, objects []kube.Object) (forget func(context.Context) error, err error) {
	var kept []*corev1.ConfigMap
	for _, o := range objects {
		if !plan.IsLent(o) {
			continue
		}
		more, err := fresh(ctx, c, o)
		if err != nil {
			return nil, fmt.Errorf("%s: looking for what was sent to its pods: %w", kube.Name(o), err)
		}
		kept = append(kept, more...)
	}
	return func(ctx context.Context) error {
		for _, each := range kept {
			if err := c.Delete(ctx, each); client.IgnoreNotFound(err) != nil {
				return fmt.Errorf("forgetting what was sent to pods: %w", err)
			}
		}
		return nil
	}, nil
}

// fresh returns what is kept for the pods of an object.
func fresh(ctx context.Context, c *kube.Cluster, o kube.Object) ([]*corev1.ConfigMap, error) {
	placed := o.DeepCopy()
	placed.SetNamespace(cmp.Or(o.GetNamespace(), c.Namespace))
	live, err := c.Live(ctx, placed)
	if err != nil {
		return nil, err
	}
	kept, err := keptFor(ctx, c, placed)
	if err != nil || live == nil {
		return kept, err
	}
	at := append(inject.Template(o), "metadata", "annotations")
	since, _, _ := unstructured.NestedString(live.Object, append(at, freshAnnotation)...)
	if slices.ContainsFunc(kept, replaces) {
		since = time.Now().UTC().Format(time.RFC3339)
	}
	if since == "" || len(inject.Template(o)) == 0 { // A Pod by itself cannot be made anew.
		return kept, nil
	}
	return kept, unstructured.SetNestedField(o.Object, since, append(at, freshAnnotation)...)
}

// keptFor returns the ConfigMaps that the pods of an object are to mount. Who may not read them
// cannot have made them.
func keptFor(ctx context.Context, c *kube.Cluster, o kube.Object) (kept []*corev1.ConfigMap, err error) {
	fields, _, _ := unstructured.NestedMap(o.Object, append(inject.Template(o), "spec")...)
	var pod corev1.Pod
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &pod.Spec); err != nil {
		return nil, err
	}
	for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		prefix := recordOf(&pod, container.Name)
		for part := range wire.RecordParts {
			if prefix == "" {
				break
			}
			found := &corev1.ConfigMap{}
			err := c.Get(ctx, client.ObjectKey{Namespace: o.GetNamespace(), Name: wire.RecordName(prefix, part)}, found)
			if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
				break
			}
			if err != nil {
				return nil, err
			}
			kept = append(kept, found)
		}
	}
	return kept, nil
}

// replaces reports whether a record is of something else than the image.
func replaces(first *corev1.ConfigMap) bool {
	var record wire.Record
	for key, text := range first.BinaryData {
		if !strings.HasPrefix(key, "body-") && json.Unmarshal(text, &record) == nil {
			return record.Executable != record.Image
		}
	}
	return false
}
