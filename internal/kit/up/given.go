package up

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/up/settings"
	"github.com/koshop/koshop/internal/kit/watch"
	"github.com/koshop/koshop/internal/kit/workload"
)

// given is what the options and the file of settings say together. Options win.
type given struct {
	port      int
	watch     watch.Mode
	services  map[string]string
	workloads map[string]settings.Workload
	env       map[string]string // of the options
}

func (o Options) with(s *settings.Settings) *given {
	return &given{
		port:      cmp.Or(o.Port, s.Port, DefaultPort),
		watch:     cmp.Or(o.Watch, s.Watch, watch.Auto),
		services:  services(o.Services, s.Services),
		workloads: s.Workloads,
		env:       o.Env,
	}
}

// services returns the Services of the options and those of the file that are
// not in them, by whatever name.
func services(options, file map[string]string) map[string]string {
	all := maps.Clone(options)
	if all == nil {
		all = map[string]string{}
	}
	for name, address := range file {
		bare, _, _ := strings.Cut(name, ".")
		if options[name] == "" && options[bare] == "" {
			all[name] = address
		}
	}
	return all
}

// check refuses names that the plan does not have.
func (g *given) check(plan *workload.Plan) error {
	for _, name := range slices.Sorted(maps.Keys(g.workloads)) {
		if !slices.ContainsFunc(plan.Workloads, func(w *workload.Workload) bool { return w.IsNamed(name) }) {
			return fmt.Errorf("%s: there is no such workload to run: there are %s", g.workloads[name].Where, list(plan))
		}
	}
	return nil
}

func list(plan *workload.Plan) string {
	var names []string
	for _, w := range plan.Workloads {
		names = append(names, w.String())
	}
	return strings.Join(names, ", ")
}

// envOf returns the environment that a workload is given.
func (g *given) envOf(w *workload.Workload) map[string]string {
	env := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(g.workloads)) {
		if w.IsNamed(name) {
			maps.Copy(env, g.workloads[name].Env)
		}
	}
	maps.Copy(env, g.env)
	if len(env) == 0 {
		return nil // That is not the same as an empty one: variables of Secrets are expected in it.
	}
	return env
}

// contentFor returns a text that is equal as long as the Services that a workload
// names are in the same places elsewhere. What it is given as environment is in
// its fingerprint.
func (g *given) contentFor(w *workload.Workload) string {
	about := map[string]string{}
	for name, address := range g.services {
		if w.Mentions(name) {
			about[name] = address
		}
	}
	return fmt.Sprintf("%q", about) // Maps are printed in the order of their keys.
}
