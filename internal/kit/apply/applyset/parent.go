package applyset

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// Parent is the object that keeps the record of a set.
type Parent struct {
	Set
	// Listed is where the record says that members are. They may be there no more.
	Listed Contents

	live kube.Object // nil where there is no such object yet
}

// Read reads the parent, which may not be there yet. It returns an error if there is
// an object of that name that is no parent, that another tool manages, or whose
// annotations make no sense. It changes nothing.
func (s Set) Read(ctx context.Context, c *kube.Cluster) (*Parent, error) {
	live, err := c.Live(ctx, s.key())
	if apierrors.IsForbidden(err) {
		return nil, missing(err, "get", parentResource, s.Namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record of the set: %w", err)
	}
	if live == nil {
		return &Parent{Set: s, Listed: Of(nil)}, nil
	}
	return s.parent(live)
}

// parent reads the record of an object, if it is that of this set.
func (s Set) parent(live kube.Object) (*Parent, error) {
	const another = "give this set another name, or delete that object if nobody needs it"
	name := kube.NameIn(live)
	tooling, managed := live.GetAnnotations()[ToolingAnnotation]
	id, labelled := live.GetLabels()[IDLabel]
	switch tool := toolName(tooling); {
	case !managed && !labelled:
		return nil, fmt.Errorf("%s keeps no record of a set, and the record of this set is to have its name; %s", name, another)
	case !managed:
		return nil, fmt.Errorf("%s keeps the record of a set but does not say which tool manages it: it lacks the annotation %s; %s", name, ToolingAnnotation, another)
	case tool != Tool:
		return nil, fmt.Errorf("%s keeps the record of a set that %s manages (annotation %s: %s), and only that tool may change it; "+
			"give this set another name, or delete the objects of that set with %s first", name, tool, ToolingAnnotation, tooling, tool)
	case id != s.ID():
		return nil, fmt.Errorf("%s has %q as its label %s, and its name and namespace make %q: it was copied from another object or changed by hand; "+
			"set the label right, or delete the object, which deletes no member of the set", name, id, IDLabel, s.ID())
	}
	listed, err := parse(live.GetAnnotations())
	if err != nil {
		return nil, fmt.Errorf("the record of the set, %s, is damaged: %w; set the annotation right: without it, "+
			"members that are gone from the kustomization would be forgotten", name, err)
	}
	return &Parent{Set: s, Listed: listed, live: live}, nil
}

// toolName returns the name of TOOL/VERSION: all before the last slash.
func toolName(tooling string) string {
	if i := strings.LastIndex(tooling, "/"); i >= 0 {
		return tooling[:i]
	}
	return tooling
}

// Exists says whether the cluster has the parent.
func (p *Parent) Exists() bool { return p.live != nil }

// Live returns the parent as it was last read or written, or nil where there is none.
func (p *Parent) Live() kube.Object { return p.live }

// Extend has the parent list objects that are about to be applied, besides all that it
// lists: if the run ends before it is done, the next one finds them. It fails if
// [IsNoNamespace], or if another run has changed the parent since it was read. A parent
// that lists all of them already is left as it is.
func (p *Parent) Extend(ctx context.Context, c *kube.Cluster, objects []kube.Object) error {
	if more := Of(objects); !p.Exists() || !p.Lists(more) {
		return p.write(ctx, c, p.Listed.Union(more))
	}
	return nil
}

// Lists says whether members with these contents would be found.
func (p *Parent) Lists(contents Contents) bool {
	namespaces := contents.Namespaces.Clone().Delete(p.Namespace)
	return p.Listed.Kinds.IsSuperset(contents.Kinds) && p.Listed.Namespaces.IsSuperset(namespaces)
}

// Settle has the parent list these members and nothing else: the objects that were
// applied, and those that [Parent.Find] or [Parent.Prune] kept. It is for the end of a
// run in which everything else was pruned. It fails as Extend does.
func (p *Parent) Settle(ctx context.Context, c *kube.Cluster, objects []kube.Object) error {
	return p.write(ctx, c, Of(objects))
}

// write creates or updates the parent. Only an object that is as it was read is
// changed: two runs at the same time would forget what the other has made. What others
// own of these annotations is taken, as kubectl does: it was read, and it is ours.
func (p *Parent) write(ctx context.Context, c *kube.Cluster, contents Contents) error {
	o := p.Object(contents)
	verb, err := "patch", error(nil)
	if p.live == nil {
		verb = "create"
		err = c.Create(ctx, o, client.FieldOwner(FieldManager))
	} else {
		o.SetResourceVersion(p.live.GetResourceVersion())
		err = c.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.ForceOwnership, client.FieldOwner(FieldManager))
	}
	switch {
	case err == nil:
		p.live, p.Listed = o, contents
		return nil
	case apierrors.IsForbidden(err):
		return missing(err, verb, parentResource, p.Namespace)
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return fmt.Errorf("the record of the set, %s, has changed since it was read: another run works on this set; try again when that has ended: %w",
			kube.NameIn(p.key()), err)
	}
	return fmt.Errorf("writing the record of the set, %s: %w", kube.NameIn(p.key()), err)
}

// IsNoNamespace says whether the parent could not be written because its namespace is
// not there yet. If the namespace is an object of the set, it has to be applied first.
func IsNoNamespace(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && apierrors.IsNotFound(err) && status.Status().Details != nil && status.Status().Details.Kind == "namespaces"
}

// Remove deletes the parent, when no member is left. It fails if another run has
// changed it since.
func (p *Parent) Remove(ctx context.Context, c *kube.Cluster) error {
	if p.live == nil {
		return nil
	}
	err := c.RemoveUnchanged(ctx, p.live, kube.Alone)
	switch {
	case apierrors.IsForbidden(err):
		return missing(err, "delete", parentResource, p.Namespace)
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("deleting the record of the set, %s: %w", kube.NameIn(p.live), err)
	}
	p.live, p.Listed = nil, Of(nil)
	return nil
}
