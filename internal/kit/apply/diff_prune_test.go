//go:build apiserver

package apply_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// diffOf returns what apply --prune would change, what it would prune, and the notes.
func diffOf(t *testing.T, c *kube.Cluster, opts apply.Options, objects ...kube.Object) (result *diff.Result, pruned []string, notes string) {
	t.Helper()
	var out bytes.Buffer
	log := progress.New(&out)
	result, err := apply.Diff(t.Context(), dryOnly(t, c), objects, opts, nil, log)
	log.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range result.Changes {
		if change.Outcome == diff.Pruned {
			pruned = append(pruned, strings.TrimSuffix(change.Object.String(), " in "+change.Object.Namespace))
		}
	}
	return result, pruned, out.String()
}

// What is shown as pruned is what is pruned then, in a first run, which adopts, and later.
func TestDiffOfPrune(t *testing.T) {
	c := apitest.Cluster(t)
	for name, begin := range scenes {
		t.Run(name, func(t *testing.T) {
			s := begin(t, c)
			copies := func() (all []kube.Object) {
				for _, o := range s.next {
					all = append(all, o.DeepCopy())
				}
				return all
			}
			before := versions(t, c, s.namespace)
			result, pruned, _ := diffOf(t, c, pruning(shopSet), copies()...)
			if !result.Differs() || len(pruned) != len(s.gone) {
				t.Errorf("differs: %v, pruned: %q", result.Differs(), pruned)
			}
			wantSame(t, before, versions(t, c, s.namespace))
			if _, pruned, _ := diffOf(t, c, plainly(shopSet), copies()...); len(pruned) > 0 {
				t.Errorf("without --prune: %q", pruned)
			}
			r := mustApply(t, c, pruning(shopSet), copies()...)
			var lines []string
			for _, line := range r.done("pruned") {
				kind, rest, _ := strings.Cut(strings.TrimSuffix(line, " pruned"), "/")
				kind, _, _ = strings.Cut(kind, ".")
				lines = append(lines, kind+"/"+rest)
			}
			wantLines(t, pruned, lines...)
			if result, _, _ := diffOf(t, c, pruning(shopSet), copies()...); result.Differs() {
				t.Errorf("after the run:\n%s", textOf(t, result))
			}
		})
	}
}

// An object that is only pruned is a difference, and the text has all of it as removed.
// What would be kept is noted, and who may not delete is shown all of that.
func TestDiffOfNothingButPrune(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	account := decode(t, ns, `{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: NS}}`)[0]
	by(t, c, "test", account) // The controller that makes it does not run here.
	mustApply(t, c, pruning(shopSet), append(decode(t, ns, front), plain(t, ns, "old"), plain(t, ns, "unused"))...)
	by(t, c, "test", decode(t, ns, usingPod)[0])
	reader := userOf(t, c, ns, `{apiGroups: ["*"], resources: ["*"], verbs: [get, list]}, {apiGroups: [""], resources: [services], verbs: [patch]}`)
	result, pruned, notes := diffOf(t, reader, pruning(shopSet), decode(t, ns, front)...)
	wantLines(t, pruned, "configmap/unused")
	if want := "configmap/old in namespace " + ns + " would be kept: it is gone from the kustomization, and pod/web-x still uses it"; !result.Differs() || !strings.Contains(notes, want) {
		t.Errorf("differs: %v, notes %q", result.Differs(), notes)
	}
	if text := textOf(t, result); !strings.Contains(text, "\n+++ MERGED/v1.ConfigMap."+ns+".unused\n") || !strings.Contains(text, "\n-kind: ConfigMap\n") {
		t.Errorf("the text is\n%s", text)
	}
	wantThere(t, c, true, plain(t, ns, "old"), plain(t, ns, "unused"))
}
