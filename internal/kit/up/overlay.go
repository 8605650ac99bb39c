package up

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kit/route"
	"github.com/koshop/koshop/internal/kit/up/settings"
	"github.com/koshop/koshop/internal/kit/workload"
)

// render makes a plan of the kustomization, and of the settings beside it, as
// they are now.
func (l *loop) render(ctx context.Context) (*workload.Plan, *given, error) {
	set, err := settings.Read(l.opts.Kustomization)
	l.rendered = set.Files
	if err != nil {
		return nil, nil, err
	}
	var notes []string
	opts := l.opts.Render
	opts.Note = func(note string) { notes = append(notes, note) }
	manifests, files, err := render.KustomizationFiles(l.opts.Kustomization, opts)
	l.rendered = append(l.rendered, files...)
	if err != nil {
		return nil, nil, err
	}
	given := l.opts.with(set)
	plan, err := l.read(ctx, manifests, given)
	if err != nil {
		return nil, nil, fmt.Errorf("kustomization %s: %w", l.opts.Kustomization, err)
	}
	if len(plan.Workloads) == 0 {
		return nil, nil, errors.Join(append([]error{fmt.Errorf("kustomization %s has no workload to run here", l.opts.Kustomization)}, noted(plan)...)...)
	}
	if conflicts := plan.Conflicts(given.port); len(conflicts) > 0 {
		return nil, nil, fmt.Errorf("kustomization %s: %w", l.opts.Kustomization, errors.Join(conflicts...))
	}
	plan.Notes = append(notes, plan.Notes...)
	return plan, given, nil
}

// read makes a plan of manifests, with the workloads and the Services that are
// asked for.
func (l *loop) read(ctx context.Context, manifests []byte, given *given) (*workload.Plan, error) {
	plan, err := workload.ReadWith(manifests, given.envOf, l.images(ctx, given))
	if err != nil {
		return nil, err
	}
	if err := given.check(plan); err != nil {
		return nil, err
	}
	if len(l.opts.Workloads) > 0 {
		if err := plan.Only(l.opts.Workloads); err != nil {
			return nil, err
		}
	}
	if err := plan.CheckServices(slices.Sorted(maps.Keys(given.services))); err != nil {
		return nil, fmt.Errorf("--service or services in %s: %w", settings.FileName, err)
	}
	plan.Elsewhere(given.services)
	return plan, nil
}

// accept gives a plan what it needs of this machine, before anything is compiled.
// It fails if the manifests ask for something that cannot be had here.
func (l *loop) accept(plan *workload.Plan, given *given) error {
	err := plan.Supply(l.state.Secret)
	var hints []string
	if err == nil {
		hints, err = l.check(plan, given)
	}
	if err != nil {
		return fmt.Errorf("kustomization %s: %w", l.opts.Kustomization, err)
	}
	plan.Notes = append(plan.Notes, hints...)
	return nil
}

// check works out a pod of each workload, and returns what the programs may miss.
// It fails with all that cannot be had.
func (l *loop) check(plan *workload.Plan, given *given) (hints []string, err error) {
	var mistakes []error
	for _, w := range plan.Workloads {
		p, err := pod.New(plan, w, pod.Site{
			Binary:   func(importPath string) string { return importPath },
			FreePort: func() (int, error) { return 1, nil },
			Address:  func(*workload.Service, int32) string { return route.Loopback(1) },
			Redirect: given.services,
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
	plan, given, err := l.render(ctx)
	if err == nil {
		err = l.accept(plan, given)
	}
	if err == nil {
		err = l.routes.Lead(plan, given.services)
	}
	if err != nil {
		l.board.Alert("Error: %v", err)
		return
	}
	if given.port != l.given.port || given.watch != l.given.watch {
		l.board.Alert("port and watch of %s count when ko up is started again", settings.FileName)
	}
	before := l.plan.Notes
	l.plan, l.given = plan, given
	l.board.Step("rendered %s again", l.opts.Kustomization)
	l.note(before)
	l.reconcile(ctx)
}
