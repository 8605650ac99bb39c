package apply_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// deployments are those of one kustomization: three ConfigMaps and a ClusterRole. One is
// to namespace home, but for a ConfigMap that is in namespace other. The second one is to
// namespace other with all of it, as by --namespace.
type deployments struct {
	t           *testing.T
	cluster     *kube.Cluster
	home, other string
	first       []kube.Object
	second      []kube.Object
	lines       string // what was done, and why
	notes       string
}

func newDeployments(t *testing.T) *deployments {
	t.Helper()
	d := &deployments{t: t, cluster: newCluster(t)}
	d.home, d.other = newNamespace(t, d.cluster), newNamespace(t, d.cluster)
	d.first = []kube.Object{d.setting(d.home, "a"), d.setting(d.home, "b"), d.setting(d.other, "shared"), d.role()}
	d.second = []kube.Object{d.setting(d.other, "a"), d.setting(d.other, "b"), d.setting(d.other, "shared"), d.role()}
	t.Cleanup(func() { _ = d.cluster.Delete(context.Background(), d.role()) }) // It may be deleted already.
	return d
}

func (d *deployments) setting(namespace, name string) kube.Object {
	d.t.Helper()
	return decode(d.t, namespace, strings.ReplaceAll(settings, "settings", name))[0]
}

func (d *deployments) role() kube.Object {
	d.t.Helper()
	return decode(d.t, d.home, `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NS-shared}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}`)[0]
}

// here is the set of one who has used --namespace.
var here = applyset.Set{Name: "shop", OnlyHere: true}

func (d *deployments) apply(set applyset.Set, prune bool, objects []kube.Object) error {
	d.t.Helper()
	return d.run(func(log *progress.Log, report event.Report) error {
		opts := apply.Options{Wait: prune, Prune: prune, Timeout: 2 * time.Minute, Set: set}
		return apply.Send(d.t.Context(), d.cluster, copies(objects), opts, log, report)
	})
}

func (d *deployments) mustApply(set applyset.Set, prune bool, objects []kube.Object) {
	d.t.Helper()
	if err := d.apply(set, prune, objects); err != nil {
		d.t.Fatalf("error %v after\n%s", err, d.lines)
	}
}

func (d *deployments) delete(set applyset.Set, objects ...kube.Object) error {
	d.t.Helper()
	return d.run(func(log *progress.Log, report event.Report) error {
		opts := apply.DeleteOptions{IgnoreNotFound: true, Set: set}
		return apply.Delete(d.t.Context(), d.cluster, copies(objects), opts, log, report)
	})
}

func (d *deployments) run(do func(*progress.Log, event.Report) error) error {
	var notes bytes.Buffer
	log, lines := progress.New(&notes), []string{}
	err := do(log, func(e event.Event) {
		if e.Event == event.Object {
			lines = append(lines, strings.TrimSuffix(e.Object+" "+e.Action+": "+e.Message, ": "))
		}
	})
	log.Close()
	d.lines, d.notes = strings.Join(lines, "\n"), notes.String()
	return err
}

// want fails the test unless the cluster has these objects, or none of them.
func (d *deployments) want(there bool, objects ...kube.Object) {
	d.t.Helper()
	for _, o := range objects {
		live, err := d.cluster.Live(d.t.Context(), o)
		if err != nil {
			d.t.Fatal(err)
		}
		if is := live != nil && live.GetDeletionTimestamp() == nil; is != there {
			d.t.Errorf("%s is there: %v, want %v, after\n%s", kube.NameIn(o), is, there, d.lines)
		}
	}
}

func (d *deployments) wantText(text string, wants ...string) {
	d.t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			d.t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

func (d *deployments) record(namespace string) kube.Object {
	return applyset.Set{Name: "shop", Namespace: namespace}.Object(applyset.Of(nil))
}

func copies(objects []kube.Object) []kube.Object {
	all := slices.Clone(objects)
	for i, o := range all {
		all[i] = o.DeepCopy()
	}
	return all
}
