package applyset

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// Candidate is an object that was applied before there was a set, and is gone from
// the kustomization.
type Candidate struct {
	Object kube.Object
	Reason string // why it is this kustomization's, all of it
}

// Adoptable finds objects that were applied from this kustomization before it had a
// set, and that are gone from it. It changes nothing. The present objects are those
// that were just applied and are ready: while old pods run, nothing they use is found.
//
// That this program applied an object proves little: it may have done so from another
// kustomization, and the labels of two may be the same. So this finds only ConfigMaps
// and Secrets that kustomize generated, of which all of this is true:
//
//   - no other program has ever set a field of it, it has no owner, and it is part of
//     no set;
//   - the name ends in the hash of its content: kustomize made the name, and the content
//     has not been changed since then;
//   - the kustomization still has a generator of that kind, name and namespace, which
//     now makes another name;
//   - an older revision of a workload that the kustomization still has used it: a
//     ReplicaSet without pods, a ControllerRevision, or an ended Job of a CronJob;
//   - nothing else in its namespace that could use it names it, and no present object.
//
// Those for which only the first and the third are true are returned as kept, with what
// is missing. Of all other objects that are gone from the kustomization nothing can be
// proven. Their owners may give them the label of the set: see [Parent.Find].
func Adoptable(ctx context.Context, c *kube.Cluster, present []kube.Object) (candidates []Candidate, kept []Kept, err error) {
	return adoptable(ctx, c, present, asItIs)
}

// ForeseeAdoptable returns what [Adoptable] is going to return once the present objects are
// applied and ready. They are as a dry run of that has returned them.
func ForeseeAdoptable(ctx context.Context, c *kube.Cluster, present []kube.Object) (candidates []Candidate, kept []Kept, err error) {
	return adoptable(ctx, c, present, rolledOut)
}

func adoptable(ctx context.Context, c *kube.Cluster, present []kube.Object, then foresight) (candidates []Candidate, kept []Kept, err error) {
	suspects, err := findSuspects(ctx, c, present)
	if err != nil || len(suspects) == 0 {
		return nil, nil, err
	}
	users, err := findUsers(ctx, c, present, Of(suspects).Namespaces, then)
	if err != nil {
		return nil, nil, fmt.Errorf("looking for objects that were applied without --prune: %w", err)
	}
	for _, o := range suspects {
		reason, why := evidence(o, users)
		if why != "" {
			kept = append(kept, Kept{o, why})
		} else {
			candidates = append(candidates, Candidate{o, reason})
		}
	}
	return candidates, kept, nil
}

// findSuspects returns the objects that carry the name of a present generator with another
// hash, and that this program alone has set.
func findSuspects(ctx context.Context, c *kube.Cluster, present []kube.Object) ([]kube.Object, error) {
	generators := map[string]bool{}
	var all []query
	for _, o := range present {
		generator, _ := splitHash(o.GetName())
		if generator == "" || !slices.Contains(generatedKinds, kube.Kind(o)) {
			continue
		}
		generators[generatorOf(o)] = true
		resource := schema.GroupResource{Resource: strings.ToLower(o.GetKind()) + "s"}
		if q := (query{kube.Kind(o).WithVersion("v1"), resource, o.GetNamespace()}); !slices.Contains(all, q) {
			all = append(all, q)
		}
	}
	inNoSet, err := labels.Parse("!" + PartOfLabel)
	if err != nil {
		return nil, err
	}
	lists, err := listAll(ctx, c, all, client.MatchingLabelsSelector{Selector: inNoSet})
	if err != nil {
		return nil, fmt.Errorf("looking for objects that were applied without --prune: %w", err)
	}
	now := newPresence(present)
	var found []kube.Object
	for _, o := range slices.Concat(lists...) {
		if generators[generatorOf(o)] && !now.has(o) && isOursAlone(o) {
			found = append(found, o)
		}
	}
	InOrder(found)
	return found, nil
}

// generatorOf names what may have generated an object: its kind, namespace and name
// without the hash.
func generatorOf(o kube.Object) string {
	generator, _ := splitHash(o.GetName())
	return o.GetKind() + "/" + o.GetNamespace() + "/" + generator
}

// isOursAlone says whether this program has applied an object, and no other has ever
// set a field of it, owns it or deletes it.
func isOursAlone(o kube.Object) bool {
	applied := false
	for _, entry := range o.GetManagedFields() {
		if entry.Manager != plan.FieldManager {
			return false
		}
		applied = applied || entry.Operation == metav1.ManagedFieldsOperationApply
	}
	return applied && len(o.GetOwnerReferences()) == 0 && o.GetDeletionTimestamp() == nil
}

// evidence says why a suspect is this kustomization's, or why that is not proven.
func evidence(o kube.Object, users *users) (reason, why string) {
	generator, hash := splitHash(o.GetName())
	if actual, err := contentHash(o); err != nil || actual != hash {
		return "", "its name does not end in the hash of its content: it was changed, or it had an image reference that ko replaced"
	}
	if user := users.of(o); user != "" {
		return "", user + " still names it"
	}
	revision := users.revision(o)
	if revision == "" {
		return "", "no older revision of a workload of the kustomization names it: it may be another kustomization's"
	}
	return fmt.Sprintf("only %s has applied it; its name ends in the hash of its content; the kustomization still generates %s, now with another hash; %s used it; nothing in its namespace names it now",
		Tool, generator, revision), ""
}

// Adopt makes a candidate a member of the set, so that [Parent.Find] finds it as gone.
// It fails if the object has changed since it was judged.
func (p *Parent) Adopt(ctx context.Context, c *kube.Cluster, candidate Candidate) error {
	o := candidate.Object.DeepCopy()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": o.GetResourceVersion(), // or a conflict
		"labels":          map[string]string{PartOfLabel: p.ID()},
	}})
	if err != nil {
		return err
	}
	err = c.Patch(ctx, o, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(FieldManager))
	switch {
	case apierrors.IsForbidden(err):
		return missing(err, "patch", resourceOf(c, o), o.GetNamespace())
	case err != nil:
		return fmt.Errorf("making %s a member of the set: %w", kube.NameIn(o), err)
	}
	return nil
}
