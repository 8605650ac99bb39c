package up

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kit/workload"
)

// render makes a plan of the kustomization as it is now.
func (l *loop) render(ctx context.Context) (*workload.Plan, error) {
	var notes []string
	opts := l.opts.Render
	opts.Note = func(note string) { notes = append(notes, note) }
	manifests, files, err := render.KustomizationFiles(l.opts.Kustomization, opts)
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
	plan.Notes = append(notes, plan.Notes...)
	return plan, nil
}

// accept gives a plan what it needs of this machine, before anything is compiled.
// It fails if the manifests ask for something that cannot be had here.
func (l *loop) accept(plan *workload.Plan) error {
	err := plan.Supply(l.state.secret)
	var hints []string
	if err == nil {
		hints, err = l.check(plan)
	}
	if err != nil {
		return fmt.Errorf("kustomization %s: %w", l.opts.Kustomization, err)
	}
	plan.Notes = append(plan.Notes, hints...)
	return nil
}

// check works out a pod of each workload, and returns what the programs may miss.
// It fails with all that cannot be had.
func (l *loop) check(plan *workload.Plan) (hints []string, err error) {
	var mistakes []error
	for _, w := range plan.Workloads {
		p, err := pod.New(plan, w, pod.Site{
			Binary:   func(importPath string) string { return importPath },
			FreePort: func() (int, error) { return 1, nil },
			Address:  func(*workload.Service, int32) string { return loopback(1) },
			Redirect: l.opts.Services,
		})
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		hints = append(hints, p.Hints...)
	}
	return hints, errors.Join(mistakes...)
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
		err = l.accept(plan)
	}
	if err == nil {
		err = l.routes.lead(plan)
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
