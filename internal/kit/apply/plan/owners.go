package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/koshop/koshop/internal/kube"
)

// lastApplied is where kubectl's client-side apply keeps what it applied.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// hasOthers says whether kubectl, or create, once set something of an object.
func hasOthers(o kube.Object) bool {
	_, applied := o.GetAnnotations()[lastApplied]
	return applied || slices.ContainsFunc(o.GetManagedFields(), isTakenOver)
}

// isTakenOver says whether the fields of an owner become ours before the object is
// applied. Otherwise those that are gone from the manifests would stay for ever,
// owned by a manager that never applies again.
func isTakenOver(entry metav1.ManagedFieldsEntry) bool {
	switch {
	case entry.Subresource != "":
		return false
	case entry.Operation == metav1.ManagedFieldsOperationApply:
		return entry.Manager == "kubectl"
	}
	return slices.Contains([]string{FieldManager, kubectl, "kubectl-create", "kubectl-replace"}, entry.Manager)
}

// isOurs says whether an entry is the one of what this program has applied, or becomes
// a part of it.
func isOurs(entry metav1.ManagedFieldsEntry) bool {
	isOwn := entry.Manager == FieldManager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
	return isOwn || isTakenOver(entry)
}

// TakeOver makes what kubectl, or create, once set of an object ours, if there is
// anything.
func TakeOver(ctx context.Context, c *kube.Cluster, live kube.Object) error {
	if !hasOthers(live) {
		return nil
	}
	owners, err := withoutOthers(live)
	if err != nil {
		return fmt.Errorf("reading who owns what of %s: %w", kube.Name(live), err)
	}
	return SetOwners(ctx, c, live, owners, lastApplied)
}

// SetOwners makes entries the record of who owns what of an object, and removes
// annotations that it may have. It fails if the object has changed meanwhile.
func SetOwners(ctx context.Context, c *kube.Cluster, live kube.Object, entries []metav1.ManagedFieldsEntry, without ...string) error {
	operations := []operation{
		{"replace", "/metadata/resourceVersion", live.GetResourceVersion()}, // or a conflict
		{"replace", "/metadata/managedFields", entries},
	}
	for _, annotation := range without {
		if _, there := live.GetAnnotations()[annotation]; there {
			operations = append(operations, operation{Op: "remove", Path: "/metadata/annotations/" + strings.ReplaceAll(annotation, "/", "~1")})
		}
	}
	patch, err := json.Marshal(operations)
	if err != nil {
		return err
	}
	return c.Patch(ctx, live.DeepCopy(), client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(FieldManager))
}

// operation is one of a JSON patch: https://www.rfc-editor.org/rfc/rfc6902
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// withoutOthers returns the record in which all that is taken over stands under the
// entry of our own.
func withoutOthers(live kube.Object) ([]metav1.ManagedFieldsEntry, error) {
	own := metav1.ManagedFieldsEntry{
		Manager: FieldManager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: live.GetAPIVersion(), FieldsType: "FieldsV1",
	}
	fields, err := fieldsOf(live.GetManagedFields(), isOurs)
	if err != nil {
		return nil, err
	}
	var entries []metav1.ManagedFieldsEntry
	for _, entry := range live.GetManagedFields() {
		if isOurs(entry) {
			own.Time = entry.Time
		} else {
			entries = append(entries, entry)
		}
	}
	raw, err := fields.ToJSON()
	if err != nil {
		return nil, err
	}
	own.FieldsV1 = metav1.NewFieldsV1(string(raw))
	return append(entries, own), nil
}

// fieldsOf returns the fields of some entries.
func fieldsOf(entries []metav1.ManagedFieldsEntry, choose func(metav1.ManagedFieldsEntry) bool) (*fieldpath.Set, error) {
	all := &fieldpath.Set{}
	for _, entry := range entries {
		if !choose(entry) || entry.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
			return nil, err
		}
		all = all.Union(set)
	}
	return all, nil
}
