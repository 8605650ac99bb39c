package plan

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kube"
)

// Foresee returns all changes in the order in which they are sent, each with what would
// become of its object in [Change.After]. Nothing is changed in the cluster. As far as
// the API server cannot say that before the grounds are there, After is what the manifest
// says, and the change is in guessed, too. It fails where sending the plan would fail, as far as
// that can be known. A plan that was foreseen is not sent: make another one.
func (p *Plan) Foresee(ctx context.Context) (all, guessed []*Change, err error) {
	if err := p.judgeEarly(ctx); err != nil {
		return nil, nil, err
	}
	var group errgroup.Group
	group.SetLimit(kube.Concurrency)
	for _, change := range p.changes {
		group.Go(func() error { return change.foresee(ctx, p.cluster) })
	}
	err = group.Wait()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	for _, change := range p.changes {
		if change.guessed {
			guessed = append(guessed, change)
		}
	}
	return p.changes, guessed, err
}

// judgeEarly has judged, as far as that is possible, what rests on grounds that are not
// in the cluster.
func (p *Plan) judgeEarly(ctx context.Context) error {
	later := slices.Clone(p.later)
	defined := map[schema.GroupKind]bool{}
	for _, ground := range p.Grounds {
		if ground.Action == "" {
			later = append(later, ground)
		}
		if kube.Kind(ground.Object) == kube.DefinitionKind {
			defined[definedKind(ground.Object)] = true
		}
	}
	for _, change := range later {
		change.early = &early{anyRefusal: defined[kube.Kind(change.Object)]}
	}
	return p.judge(ctx, later)
}

// early is how the refusal of a change is taken that is judged before its grounds are
// in the cluster.
type early struct{ anyRefusal bool }

// explains says whether a refusal may be only because the grounds are missing. By a
// definition that is to be another one, nothing that is refused is certain, but for
// who owns a field.
func (e *early) explains(refusal error) bool {
	return e != nil && refusal != nil && (kube.IsAbsent(refusal) || apierrors.IsForbidden(refusal) || e.anyRefusal)
}

// foresee completes what would become of the object.
func (c *Change) foresee(ctx context.Context, cluster *kube.Cluster) (err error) {
	switch {
	case c.Action == Unchanged:
		c.After = c.Before // Nothing is sent, so that what controllers do meanwhile is no change of ours.
		return nil
	case c.Action == Replaced:
		c.After = c.remade(ctx, cluster)
	case c.After != nil && c.Before != nil && hasOthers(c.Before):
		c.After, err = c.takenOver(ctx, cluster)
	}
	if err != nil {
		return err
	}
	if c.After == nil {
		c.guessed, c.After = true, c.guess()
	}
	if _, wanted := c.Object.Object["status"]; !wanted && c.Before != nil {
		keepStatus(c.Before, c.After)
	}
	return c.foreseeLending()
}

// guess returns the object as it is, with the fields of the manifest as they are there.
func (c *Change) guess() kube.Object {
	if c.Before == nil {
		return c.Object.DeepCopy()
	}
	return &unstructured.Unstructured{Object: overlaid(c.Before.DeepCopy().Object, c.Object.DeepCopy().Object)}
}

// overlaid returns fields with others put over them.
func overlaid(below, above map[string]any) map[string]any {
	all := maps.Clone(below)
	for name, value := range above {
		fields, isMap := value.(map[string]any)
		under, wasMap := below[name].(map[string]any)
		if isMap && wasMap {
			value = overlaid(under, fields)
		}
		all[name] = value
	}
	return all
}

// keepStatus leaves the status as it was: applying does not change it, and controllers
// do so at any moment.
func keepStatus(before, after kube.Object) {
	delete(after.Object, "status")
	if status, found := before.Object["status"]; found {
		after.Object["status"] = status
	}
}
