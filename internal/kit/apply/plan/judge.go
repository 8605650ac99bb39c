package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// JudgeRest has judged what rests on the grounds, which are in the cluster by now.
// The API server goes on judging by an old definition for a moment, so a refusal
// counts only after a while if the grounds include one.
func (p *Plan) JudgeRest(ctx context.Context) error {
	patience := time.Duration(0)
	for _, ground := range p.Grounds {
		if kube.Kind(ground.Object) == kube.DefinitionKind {
			patience = schemaTimeout
			if err := p.awaitEstablished(ctx, ground.Object); err != nil {
				return err
			}
		}
	}
	refused := p.judge(ctx, p.later)
	if refused == nil || patience == 0 {
		return refused
	}
	err := wait.PollUntilContextTimeout(ctx, pollEvery, patience, false, func(ctx context.Context) (bool, error) {
		if err := p.judge(ctx, p.later); ctx.Err() == nil {
			refused = err
		}
		return refused == nil, nil
	})
	if err != nil && refused == nil {
		return err
	}
	return refused
}

func (p *Plan) awaitEstablished(ctx context.Context, definition kube.Object) error {
	err := wait.PollUntilContextTimeout(ctx, pollEvery, establishTimeout, true, func(ctx context.Context) (bool, error) {
		live, err := p.cluster.Live(ctx, definition)
		return live != nil && kube.HasCondition(live, "Established"), err
	})
	if err != nil {
		return fmt.Errorf("waiting for %s to be established: %w", kube.Name(definition), err)
	}
	return nil
}

// judge asks the API server what would become of objects. It returns every refusal,
// so that one run shows all there is to mend.
func (p *Plan) judge(ctx context.Context, changes []*Change) error {
	refusals := make([]error, len(changes))
	var group errgroup.Group
	group.SetLimit(kube.Concurrency)
	for i, change := range changes {
		group.Go(func() error {
			refusals[i] = change.judge(ctx, p.cluster)
			return nil
		})
	}
	_ = group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(refusals...)
}

func (c *Change) judge(ctx context.Context, cluster *kube.Cluster) error {
	if c.Verb == Create {
		c.Action, c.After = Created, c.Object.DeepCopy()
		return Refusal(c.Object, cluster.Create(ctx, c.After, CreateOptions(client.DryRunAll)...))
	}
	c.Settle(ctx, c.Before)
	if isAsApplied(c.Before, c.Object) {
		c.Action = Unchanged
		return nil
	}
	result, err := dryRunApply(ctx, cluster, c.Object, c.Force)
	if all := conflicts(err); len(all) > 0 {
		if others := foreign(all); len(others) > 0 {
			return conflictError(c.Object, others)
		}
		c.Force = true
		result, err = dryRunApply(ctx, cluster, c.Object, c.Force)
	}
	if c.early.explains(err) {
		return nil
	}
	if fields := c.immutable(ctx, cluster, err); fields != nil {
		if !c.mayReplace() {
			return c.immutableError(fields)
		}
		c.Action = Replaced
		return nil
	}
	switch {
	case IsGiven(c.Object, c.Before, err):
		c.Action = Unchanged
	case err != nil:
		return Refusal(c.Object, err)
	case c.Before == nil:
		c.Action, c.After = Created, result
	case hasOthers(c.Before) && !isLentAs(c.Before, c.Object) || differs(c.Object, c.Before, result):
		c.Action, c.After = Configured, result
	default:
		c.Action = Unchanged
	}
	return nil
}

// dryRunApply returns what the object would be.
func dryRunApply(ctx context.Context, c *kube.Cluster, o kube.Object, force bool) (kube.Object, error) {
	result := o.DeepCopy()
	err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(result), ApplyOptions(force, client.DryRunAll)...)
	return result, err
}

// ApplyOptions are those of a request that applies an object, with more. With force,
// it takes what others own.
func ApplyOptions(force bool, more ...client.ApplyOption) []client.ApplyOption {
	if force {
		more = append(more, client.ForceOwnership)
	}
	return append(more, client.FieldOwner(FieldManager))
}

// CreateOptions are those of a request that creates an object, with more.
func CreateOptions(more ...client.CreateOption) []client.CreateOption {
	return append(more, client.FieldOwner(FieldManager), client.FieldValidation(metav1.FieldValidationStrict))
}

// differs says whether one state of an object is another than a later one, but for
// what the API server and controllers keep of it, who may do so at this moment.
func differs(wanted, before, after kube.Object) bool {
	return differ(wanted.GetLabels(), before.GetLabels(), after.GetLabels()) ||
		differ(wanted.GetAnnotations(), before.GetAnnotations(), after.GetAnnotations()) ||
		!equality.Semantic.DeepEqual(content(before), content(after))
}

// differ says whether labels or annotations that are wanted have changed, or whether
// some are gone.
func differ(wanted, before, after map[string]string) bool {
	for name := range wanted {
		if old, there := before[name]; !there || old != after[name] {
			return true
		}
	}
	for name := range before {
		if _, there := after[name]; !there {
			return true
		}
	}
	return false
}

func content(o kube.Object) map[string]any {
	rest := map[string]any{}
	for field, value := range o.Object {
		if !slices.Contains([]string{"metadata", "status"}, field) {
			rest[field] = value
		}
	}
	return rest
}
