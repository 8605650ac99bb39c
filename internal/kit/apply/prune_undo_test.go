//go:build apiserver

package apply_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kube"
)

// scene is a namespace before a run with --prune.
type scene struct {
	namespace string
	next      []kube.Object // what is applied
	gone      []kube.Object // what is to be pruned
}

// scenes are a first run, which adopts, and a later one.
var scenes = map[string]func(t *testing.T, c *kube.Cluster) *scene{
	"first": func(t *testing.T, c *kube.Cluster) *scene {
		s := &scene{namespace: newNamespace(t, c)}
		objects, name := renderWith(t, s.namespace, "red")
		mustApply(t, c, plainly(shopSet), objects...)
		awaitRevision(t, c, s.namespace, name)
		s.next, _ = renderWith(t, s.namespace, "blue")
		s.gone = []kube.Object{plain(t, s.namespace, name)}
		return s
	},
	"later": func(t *testing.T, c *kube.Cluster) *scene {
		s := &scene{namespace: newNamespace(t, c)}
		s.gone = decode(t, s.namespace, idle, front)
		mustApply(t, c, pruning(shopSet), append(decode(t, s.namespace, idle, front), plain(t, s.namespace, "settings"))...)
		s.next = decode(t, s.namespace, strings.ReplaceAll(settings, "blue", "red"),
			`{apiVersion: v1, kind: ServiceAccount, metadata: {name: new, namespace: NS}}`)
		return s
	},
}

// all are the objects that may change.
func (s *scene) all() []kube.Object {
	all := slices.Concat(s.next, s.gone, []kube.Object{record(shopSet, s.namespace)})
	for i, o := range all {
		all[i] = o.DeepCopy()
	}
	return all
}

// Whatever goes wrong with whichever request of --prune --atomic: everything is as it
// was, pruned objects and the parent included, or all is done, or the message names
// what is not.
func TestUndoOfPrune(t *testing.T) {
	c := apitest.Cluster(t)
	random := chance(t)
	kinds := slices.Sorted(maps.Keys(faults))
	for name, begin := range scenes {
		s := begin(t, c)
		f := withFaults(c, func(int64) fault { return nil })
		mustApply(t, f.Cluster, pruning(shopSet), s.next...)
		for at := int64(1); at <= f.sent.Load(); at++ {
			// What is forgotten in one that took effect is forgotten for ever.
			for _, wrong := range []string{"timed out after it took effect", kinds[random.IntN(len(kinds))]} {
				t.Run(fmt.Sprintf("%s run, request %d %s", name, at, wrong), func(t *testing.T) {
					t.Parallel()
					s := begin(t, c)
					before := snapshot(t, c, s.all())
					r := applyWith(t.Context(), withFaults(c, func(n int64) fault {
						if n == at {
							return faults[wrong]
						}
						return nil
					}).Cluster, pruning(shopSet), s.next...)
					s.judge(t, c, before, r)
				})
			}
		}
	}
}

// judge holds what is said of a run to what has become of the cluster.
func (s *scene) judge(t *testing.T, c *kube.Cluster, before map[string]string, r *run) {
	t.Helper()
	if r.err == nil {
		wantThere(t, c, true, append(s.next, record(shopSet, s.namespace))...)
		wantThere(t, c, false, s.gone...)
		return
	}
	if after := snapshot(t, c, s.all()); !strings.Contains(r.err.Error(), " is not as it was: ") {
		wantSame(t, before, after)
	} else {
		for name := range before {
			if of, _, _ := strings.Cut(name, " in "); before[name] != after[name] && !strings.Contains(r.err.Error(), of) {
				t.Errorf("%s has changed, and the error does not name it: %v", name, r.err)
			}
		}
	}
	if t.Failed() {
		t.Logf("error %v after %q", r.err, r.lines)
	}
	// The same command goes on where this one ended.
	mustApply(t, c, pruning(shopSet), s.next...)
	wantThere(t, c, false, s.gone...)
}

// A killed run forgets nothing: the next one prunes all that is gone.
func TestPruneAfterAKilledRun(t *testing.T) {
	c := apitest.Cluster(t)
	random := rand.New(rand.NewPCG(chance(t).Uint64(), 0))
	for name, begin := range scenes {
		for range times(12) {
			at := 1 + random.Int64N(60)
			t.Run(fmt.Sprintf("%s run, at request %d", name, at), func(t *testing.T) {
				t.Parallel()
				s := begin(t, c)
				r := applyWith(t.Context(), withFaults(c, func(n int64) fault {
					if n >= at {
						return faults["timed out before it took effect"]
					}
					return nil
				}).Cluster, pruning(shopSet), s.next...)
				if at == 1 && r.err == nil {
					t.Error("it was killed, and says nothing of it")
				}
				if name == "first" { // What was applied without --prune has to be adopted first.
					mustApply(t, c, pruning(shopSet), s.next...)
					wantThere(t, c, false, s.gone...)
				}
				var settings, more []kube.Object // The latter are of kinds that no former run had.
				for _, o := range s.next {
					if o.GetKind() == "ConfigMap" {
						settings = append(settings, o)
					} else {
						more = append(more, o)
					}
				}
				mustApply(t, c, pruning(shopSet), settings...)
				wantThere(t, c, false, append(s.gone, more...)...)
			})
		}
	}
}
