package up

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kit/workload"
)

// render makes a plan of the kustomization as it is now.
func (l *loop) render(ctx context.Context) (*workload.Plan, error) {
	manifests, files, err := render.KustomizationFiles(l.opts.Kustomization, l.opts.Render)
	l.rendered = files
	if err != nil {
		return nil, err
	}
	given := func(*workload.Workload) map[string]string { return l.opts.Env }
	plan, err := workload.ReadWith(manifests, given, l.images(ctx))
	if err != nil {
		return nil, fmt.Errorf("kustomization %s: %w", l.opts.Kustomization, err)
	}
	if len(l.opts.Workloads) > 0 {
		if err := plan.Only(l.opts.Workloads); err != nil {
			return nil, fmt.Errorf("kustomization %s: %w", l.opts.Kustomization, err)
		}
	}
	if err := plan.CheckServices(slices.Sorted(maps.Keys(l.opts.Services))); err != nil {
		return nil, fmt.Errorf("--service: kustomization %s: %w", l.opts.Kustomization, err)
	}
	if len(plan.Workloads) == 0 {
		return nil, errors.Join(append([]error{fmt.Errorf("kustomization %s has no workload to run here", l.opts.Kustomization)}, noted(plan)...)...)
	}
	if conflicts := plan.Conflicts(l.opts.Port); len(conflicts) > 0 {
		return nil, fmt.Errorf("kustomization %s: %w", l.opts.Kustomization, errors.Join(conflicts...))
	}
	return plan, nil
}

func noted(plan *workload.Plan) []error {
	var notes []error
	for _, note := range plan.Notes {
		notes = append(notes, errors.New(note))
	}
	return notes
}

// note shows what the plan has to say that was not said before.
func (l *loop) note(before []string) {
	for _, note := range l.plan.Notes {
		if !slices.Contains(before, note) {
			l.opts.Log.Printf("%s", note)
		}
	}
}

// rerender runs what a changed kustomization asks for. One that is broken
// changes nothing.
func (l *loop) rerender(ctx context.Context) {
	defer l.watch()
	plan, err := l.render(ctx)
	if err == nil {
		err = errors.Join(plan.Supply(l.state.secret), l.routes.lead(plan))
	}
	if err != nil {
		l.board.alert("Error: %v", err)
		return
	}
	before := l.plan.Notes
	l.plan = plan
	l.board.step("rendered %s again", l.opts.Kustomization)
	l.note(before)
	l.reconcile(ctx)
}
