package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/apply/transaction"
	"github.com/koshop/koshop/internal/kube"
)

// membership is what a run knows of the set that its objects belong to.
type membership struct {
	cluster *kube.Cluster
	set     applyset.Set
	prunes  bool
	shows   bool // only shows what pruning would do, and needs no permission for it
	note    func(format string, args ...any)

	parent  *applyset.Parent // nil where the objects are in no set
	present []kube.Object    // all objects of the run
	members []kube.Object    // those of them that have the label of the set
	others  []kube.Object    // what is changed besides: pruned objects, and a new parent
	first   bool             // there was no set before
}

// join makes objects members of their set before they are judged. Without --prune it
// does so only if there is the set: to apply a member without the label would take it
// out of the set. It changes nothing in the cluster.
func (m *membership) join(ctx context.Context, objects, live []kube.Object) error {
	m.present = objects
	parent, err := m.findParent(ctx, objects, live)
	if !m.prunes && (apierrors.IsForbidden(err) || err == nil && !parent.Exists()) {
		keepLabels(objects, live)
		return nil
	}
	if err != nil {
		return err
	}
	m.parent, m.first = parent, !parent.Exists()
	for i, o := range objects {
		given, err := m.isGiven(ctx, o, live[i])
		if err != nil {
			return err
		}
		if !given {
			m.members = append(m.members, o)
		}
	}
	if err := errors.Join(parent.Check(live), parent.Label(m.members)); err != nil || !m.prunes || m.shows {
		return err
	}
	return m.foresee(ctx)
}

// findParent finds the parent of the set, where it is and where it may have been left.
// Without --prune nothing can be forgotten that is not in a set already, so that only
// objects with a label are a reason to search.
func (m *membership) findParent(ctx context.Context, objects, live []kube.Object) (*applyset.Parent, error) {
	parent, err := readParent(ctx, m.cluster, m.set, objects)
	if err != nil || isCertain(parent, m.set, objects, m.cluster.Namespace) {
		return parent, err
	}
	s := &search{m.cluster, m.set, objects, live, m.note}
	if !m.prunes && !parent.Exists() && len(s.ids()) == 0 {
		return parent, nil
	}
	found, err := s.find(ctx, parent)
	if _, uncertain := errors.AsType[*uncertainError](err); uncertain && !m.prunes {
		return &applyset.Parent{Set: m.set, Listed: applyset.Of(nil)}, nil
	}
	return found, err
}

// keepLabels leaves objects in the sets that they are in. The run knows no set of its
// own, and takes no object out of another.
func keepLabels(objects, live []kube.Object) {
	for i, o := range objects {
		if live[i] == nil {
			continue
		}
		id, labelled := live[i].GetLabels()[applyset.PartOfLabel]
		if _, has := o.GetLabels()[applyset.PartOfLabel]; labelled && !has {
			labels := o.GetLabels()
			if labels == nil {
				labels = map[string]string{}
			}
			labels[applyset.PartOfLabel] = id
			o.SetLabels(labels)
		}
	}
}

// isGiven says whether an object is a namespace that this user may not give the label
// to. It is no member: see [plan.IsGiven]. A dry run shows it.
func (m *membership) isGiven(ctx context.Context, o, live kube.Object) (bool, error) {
	if live == nil || kube.Kind(o) != kube.NamespaceKind {
		return false, nil
	}
	labelled := o.DeepCopy()
	if err := m.parent.Label([]kube.Object{labelled}); err != nil {
		return false, nil // Label says so of the object itself.
	}
	err := m.cluster.Apply(ctx, client.ApplyConfigurationFromUnstructured(labelled), plan.ApplyOptions(true, client.DryRunAll)...)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return apierrors.IsForbidden(err), nil // Of other errors, the plan tells.
}

// extend has the parent list the members before any is sent. It returns the grounds
// that are still to be sent: where the namespace of the parent is one of them, it has
// to be there first.
func (m *membership) extend(ctx context.Context, t *transaction.Transaction, grounds []*plan.Change) ([]*plan.Change, error) {
	if m.parent == nil {
		return grounds, nil
	}
	err := m.write(ctx, t, m.parent.Extend, m.members)
	if !m.prunes && m.parent.Exists() && apierrors.IsForbidden(err) {
		m.note("the record of the set does not get the kinds and namespaces that are new, so --prune may not find their objects: %v", err)
		return grounds, nil
	}
	if !applyset.IsNoNamespace(err) {
		return grounds, err
	}
	own := slices.IndexFunc(grounds, func(ground *plan.Change) bool {
		return kube.Kind(ground.Object) == kube.NamespaceKind && ground.Object.GetName() == m.parent.Namespace
	})
	if own < 0 {
		return nil, fmt.Errorf("%w: create the namespace", err)
	}
	if err := t.Send(ctx, grounds[own:own+1]); err != nil {
		return nil, err
	}
	rest := slices.Delete(slices.Clone(grounds), own, own+1)
	return rest, m.write(ctx, t, m.parent.Extend, m.members)
}

// tell reports a new parent.
func (m *membership) tell(report event.Report) {
	if m.parent != nil && m.first {
		m.others = append(m.others, m.parent.Live())
		report.Done(m.parent.Live(), string(plan.Created))
	}
}

// write changes the parent in a way that is undone with the rest.
func (m *membership) write(ctx context.Context, t *transaction.Transaction,
	do func(context.Context, *kube.Cluster, []kube.Object) error, objects []kube.Object,
) error {
	before := m.parent.Live()
	return t.Take(transaction.Step{
		Object: m.parent.Object(m.parent.Listed), Before: before, Shared: true,
		Do: func() (kube.Object, error) {
			err := do(ctx, m.cluster, objects)
			if err == nil && m.parent.Live() == before {
				err = transaction.ErrUnchanged
			}
			return m.parent.Live(), err
		},
	})
}
