package apply

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/apply/transaction"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// foresee asks, before anything is changed, all that pruning is going to ask, so that a
// permission that is missing shows here.
func (m *membership) foresee(ctx context.Context) error {
	found, err := m.parent.Foresee(ctx, m.cluster, m.members, m.present)
	if err == nil {
		var candidates []applyset.Candidate
		if candidates, _, err = applyset.Adoptable(ctx, m.cluster, m.present); err == nil {
			err = m.parent.CheckAccess(ctx, m.cluster, slices.DeleteFunc(found.Gone, isPrecious), candidates)
		}
	}
	if err != nil {
		return fmt.Errorf("--prune: %w\nwithout --prune, the same command deletes nothing and does without such permissions", err)
	}
	return nil
}

// isPrecious reports whether deleting an object destroys what nobody can make again, such
// as the data of a claim. Such objects are neither pruned nor replaced.
func isPrecious(o kube.Object) bool { return applyset.Loss(o) != "" }

// prune adopts and deletes what is gone from the kustomization, once everything else is
// ready, and has the parent list what is left.
func (m *membership) prune(ctx context.Context, t *transaction.Transaction, log *progress.Log, report event.Report) error {
	if !m.prunes {
		return nil
	}
	task := log.Start("pruning", "")
	defer task.Stop()
	if err := m.adopt(ctx, t, report); err != nil {
		return err
	}
	found, err := m.parent.Find(ctx, m.cluster, m.present)
	if err != nil {
		return err
	}
	usage, err := applyset.FindUsage(ctx, m.cluster, found.Gone, m.present)
	if err != nil {
		return err
	}
	left := slices.Clone(m.members)
	keep := func(o kube.Object, why string) {
		left = append(left, o)
		if o.GetDeletionTimestamp() == nil {
			report.Explains(o, string(plan.Kept), why)
		}
	}
	for _, kept := range found.Kept {
		keep(kept.Object, kept.Why)
	}
	for _, o := range found.Gone {
		task.Step(kube.Name(o))
		why, err := m.pruneOne(ctx, t, o, usage)
		switch {
		case err != nil:
			return err
		case why != "":
			usage.Keep(o)
			keep(o, why)
		default:
			m.others = append(m.others, o)
			report.Done(o, string(plan.Pruned))
		}
	}
	return m.settle(ctx, t, left)
}

// settle has the parent list the members that are left. That another run has changed it
// meanwhile is an error, and so is a parent that does not list them all: what one run has
// done, the other may not know of. Any other failure is noted only: everything is as it
// should be, and the parent lists too much, which the next --prune corrects.
func (m *membership) settle(ctx context.Context, t *transaction.Transaction, left []kube.Object) error {
	err := m.write(ctx, t, m.parent.Settle, left)
	if err == nil || ctx.Err() != nil || apierrors.IsConflict(err) {
		return err
	}
	now, unread := m.parent.Read(ctx, m.cluster)
	if unread == nil && !(now.Exists() && now.Lists(applyset.Of(left))) {
		return err
	}
	m.note("everything is applied and pruned, but the record of the set may still list kinds and namespaces in which it has nothing any more, until the next --prune: %v", err)
	return nil
}

// pruneOne begins to delete a member, or returns why it is kept.
func (m *membership) pruneOne(ctx context.Context, t *transaction.Transaction, o kube.Object, usage *applyset.Usage) (kept string, err error) {
	if why := whyKept(o, usage); why != "" {
		return why, nil
	}
	err = t.Take(transaction.Step{Object: o, Before: o, Do: func() (_ kube.Object, err error) {
		kept, err = m.parent.Prune(ctx, m.cluster, o)
		if err == nil && kept != "" {
			err = transaction.ErrUnchanged
		}
		return nil, err
	}})
	return kept, err
}

// whyKept says why a member is not pruned that is gone from the kustomization, or is "".
func whyKept(o kube.Object, usage *applyset.Usage) string {
	if isPrecious(o) {
		return fmt.Sprintf("it is gone from the kustomization, and with it goes %s: delete it with kubectl, or all of the set with ko delete -k", applyset.Loss(o))
	}
	if user := usage.Of(o); user != "" {
		return fmt.Sprintf("it is gone from the kustomization, and %s still uses it: the next --prune deletes it, once nothing does", user)
	}
	return ""
}

// adopt makes members of what was applied without --prune, and is gone from the
// kustomization. What is not proven to be ours is told of once, in the first run.
func (m *membership) adopt(ctx context.Context, t *transaction.Transaction, report event.Report) error {
	candidates, kept, err := applyset.Adoptable(ctx, m.cluster, m.present)
	if err != nil {
		return err
	}
	for _, candidate := range candidates {
		err := t.Take(transaction.Step{Object: candidate.Object, Before: candidate.Object, Do: func() (kube.Object, error) {
			return candidate.Object, m.parent.Adopt(ctx, m.cluster, candidate)
		}})
		if err != nil {
			return err
		}
		report.Explains(candidate.Object, string(plan.Adopted), candidate.Reason)
	}
	if m.first {
		for _, kept := range kept {
			report.Explains(kept.Object, string(plan.Kept), "it looks like an old object of the kustomization, but "+kept.Why)
		}
	}
	return nil
}
