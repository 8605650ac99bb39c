package plan

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// LiveAnnotation marks an object that is not as its manifests have it, but under live
// reload: whoever applies the manifests next is to have it as they say.
const LiveAnnotation = "koshop.dev/live-reload"

// kubectl is the manager of kubectl's client-side apply, which is the one whose fields
// every tool that applies takes for its own.
const kubectl = "kubectl-client-side-apply"

// lendAttempts is how often a controller may be faster.
const lendAttempts = 5

// IsLent reports whether an object is to be lent once it is applied.
func IsLent(o kube.Object) bool { return o.GetAnnotations()[LiveAnnotation] != "" }

// Lend makes what is ours of an object kubectl's, as if its client-side apply had sent
// the manifest. Then kubectl, Tilt, Argo CD and a plain ko apply all remove what the
// manifest has beyond theirs. As fields of our own they would stay: the API server
// removes a field only when its own manager no longer applies it.
func Lend(ctx context.Context, c *kube.Cluster, manifest kube.Object) (after kube.Object, err error) {
	text, err := lentText(manifest)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		live, err := c.Live(ctx, manifest)
		if err != nil {
			return nil, err
		}
		if live == nil {
			return nil, fmt.Errorf("%s is gone", kube.Name(manifest))
		}
		err = lend(ctx, c, live, text)
		if err == nil || !apierrors.IsConflict(err) || attempt == lendAttempts {
			return live, err
		}
	}
}

// lend updates live to what comes of it.
func lend(ctx context.Context, c *kube.Cluster, live kube.Object, manifest string) error {
	entries := live.GetManagedFields()
	for i, entry := range entries {
		if entry.Manager == FieldManager && entry.Subresource == "" {
			entries[i].Manager, entries[i].Operation = kubectl, metav1.ManagedFieldsOperationUpdate
		}
	}
	annotations := live.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[lastApplied] = manifest
	patch, err := json.Marshal([]operation{
		{"replace", "/metadata/resourceVersion", live.GetResourceVersion()}, // or a conflict
		{"replace", "/metadata/managedFields", entries},
		{"add", "/metadata/annotations", annotations},
	})
	if err != nil {
		return err
	}
	return c.Patch(ctx, live, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(kubectl))
}

// isLentAs reports whether an object was lent with this manifest, so that nothing is
// to be taken over.
func isLentAs(live, manifest kube.Object) bool {
	text, err := lentText(manifest)
	return err == nil && IsLent(manifest) && live.GetAnnotations()[lastApplied] == text
}

// lentText is how a manifest stands in an object that was lent with it, as kubectl
// writes it.
func lentText(manifest kube.Object) (string, error) {
	text, err := json.Marshal(manifest.Object)
	return string(text) + "\n", err
}

// foreseeLending adds what lending will do to the object.
func (c *Change) foreseeLending() error {
	if !IsLent(c.Object) {
		return nil
	}
	text, err := lentText(c.Object)
	if err != nil {
		return err
	}
	return unstructured.SetNestedField(c.After.Object, text, "metadata", "annotations", lastApplied)
}
