//go:build apiserver

package apply_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// richer is a Deployment with more of everything than web has.
const richer = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS, labels: {team: a}, annotations: {note: a}}
spec:
  replicas: 0
  minReadySeconds: 7
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: web
        image: "example.com/web:0"
        env: [{name: COLOR, value: blue}, {name: SIZE, value: "1"}]
        ports: [{containerPort: 80}, {containerPort: 81, protocol: UDP}]
      - {name: proxy, image: "example.com/proxy:1"}
      volumes: [{name: data, emptyDir: {}}]`

// How objects have come to the cluster before.
var formerly = map[string]func(t *testing.T, c *kube.Cluster, text string){
	"ko apply": func(t *testing.T, c *kube.Cluster, text string) {
		if _, err := send(t, c, plan.Options{}, decode(t, "", text)...); err != nil {
			t.Fatal(err)
		}
	},
	"ko create": func(t *testing.T, c *kube.Cluster, text string) {
		for _, o := range decode(t, "", text) {
			if err := c.Create(t.Context(), o, client.FieldOwner(plan.FieldManager)); err != nil {
				t.Fatal(err)
			}
		}
	},
	"ko apply --live": func(t *testing.T, c *kube.Cluster, text string) {
		built := strings.ReplaceAll(text, "example.com/", "ko://example.com/")
		plain := strings.ReplaceAll(live(t, built), "ko://", "")
		if _, err := send(t, c, plan.Options{}, decode(t, "", plain)...); err != nil {
			t.Fatal(err)
		}
	},
	"kubectl apply": func(t *testing.T, _ *kube.Cluster, text string) { apitest.Kubectl(t, text, "apply", "-f", "-") },
	"kubectl apply --server-side": func(t *testing.T, _ *kube.Cluster, text string) {
		apitest.Kubectl(t, text, "apply", "--server-side", "-f", "-")
	},
	"kubectl create": func(t *testing.T, _ *kube.Cluster, text string) { apitest.Kubectl(t, text, "create", "-f", "-") },
	"kubectl apply, then edited": func(t *testing.T, _ *kube.Cluster, text string) {
		apitest.Kubectl(t, text, "apply", "-f", "-")
		apitest.Kubectl(t, strings.ReplaceAll(text, "web:0", "web:7"), "replace", "-f", "-")
	},
}

// What is foreseen is what comes of the apply, however the objects have come there
// before; and then nothing is left to change.
func TestWhatIsForeseenComes(t *testing.T) {
	c := newCluster(t)
	const before = richer + "\n---" + settings + "\n---\n" + `{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS}, stringData: {a: old, b: same}}`
	plain := strings.ReplaceAll(web, "replicas: 2", "replicas: 0")
	for name, begin := range formerly {
		for target, wanted := range map[string]string{"less": plain, "less, under live reload": plain, "as it was": richer} {
			t.Run(target+" after "+name, func(t *testing.T) {
				ns := newNamespace(t, c)
				begin(t, c, strings.ReplaceAll(before, "NS", ns))
				settle(t, c, decode(t, ns, richer)[0])
				text := wanted + "\n---" + strings.ReplaceAll(settings, "blue, size", "red, length") + "\n---\n" +
					`{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS}, stringData: {a: new, b: same}}`
				if strings.Contains(target, "live") {
					text = strings.ReplaceAll(live(t, strings.ReplaceAll(text, "example.com/", "ko://example.com/")), "ko://", "")
				}
				foreseen(t, c, plan.Options{}, decode(t, ns, text))
			})
		}
	}
}

// foreseen compares what a diff says with what comes of the apply.
func foreseen(t *testing.T, c *kube.Cluster, opts plan.Options, objects []kube.Object) {
	t.Helper()
	said := mustCompare(t, c, opts, copied(objects)...)
	before, err := c.LiveAll(t.Context(), objects)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(t, c, opts, copied(objects)...); err != nil {
		t.Fatal(err)
	}
	after, err := c.LiveAll(t.Context(), objects)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []diff.Pair
	for i := range objects {
		asController(before[i], after[i])
		pairs = append(pairs, diff.Pair{Live: before[i], Merged: after[i]})
	}
	came, err := diff.New(pairs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := textOf(t, came); got != said || got == "" {
		t.Errorf("it said\n%s\nand this came of it:\n%s", said, got)
	}
	if left := mustCompare(t, c, opts, copied(objects)...); left != "" {
		t.Errorf("after that, it says\n%s", left)
	}
}

// settle waits until the controllers of a Deployment without replicas have done.
func settle(t *testing.T, c *kube.Cluster, deployment kube.Object) {
	t.Helper()
	eventually(t, "the Deployment to be rolled out", func() (bool, error) {
		live, err := c.Live(t.Context(), deployment)
		if err != nil || live == nil {
			return false, err
		}
		seen, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		return seen == live.GetGeneration() && kube.Condition(live, "Progressing")["reason"] == "NewReplicaSetAvailable", nil
	})
}

// asController gives an object what controllers have written into its former state.
func asController(before, after kube.Object) {
	const revision = "deployment.kubernetes.io/revision"
	if status, found := before.Object["status"]; found {
		after.Object["status"] = status
	}
	annotations := after.GetAnnotations()
	delete(annotations, revision)
	if was, found := before.GetAnnotations()[revision]; found {
		annotations[revision] = was
	}
	after.SetAnnotations(annotations)
}

func copied(objects []kube.Object) []kube.Object {
	all := make([]kube.Object, len(objects))
	for i, o := range objects {
		all[i] = o.DeepCopy()
	}
	return all
}

// Nothing in the cluster changes, in whichever state it is and whatever is asked for.
func TestDiffChangesNothing(t *testing.T) {
	c := newCluster(t)
	random := chance(t)
	for range 4 {
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		ns := newNamespace(t, c)
		begin(t, c, ns, random)
		before := versions(t, c, ns)
		for _, opts := range []plan.Options{{}, {ForceConflicts: true}, {ForceConflicts: true, Replace: true}} {
			_, err := compare(t, c, opts, release(t, ns, "2")...)
			if opts.Replace && err != nil {
				t.Error(err)
			}
		}
		wantSame(t, before, versions(t, c, ns))
	}
}

// The values of Secrets are nowhere in what is shown.
func TestDiffMasksSecrets(t *testing.T) {
	c := newCluster(t)
	ns := newNamespace(t, c)
	const text = `{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS}, stringData: {password: VALUE, user: lovelace}}`
	apitest.Kubectl(t, strings.NewReplacer("NS", ns, "VALUE", "hunter1").Replace(text), "apply", "-f", "-")
	result, err := compare(t, c, plan.Options{}, decode(t, ns, strings.ReplaceAll(text, "VALUE", "hunter2"), strings.NewReplacer("key", "other", "VALUE", "hunter2").Replace(text))...)
	if err != nil {
		t.Fatal(err)
	}
	var asJSON strings.Builder
	if err := result.JSON(&asJSON); err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{textOf(t, result), asJSON.String()} {
		for _, secret := range []string{"hunter", "aHVudGVy", "lovelace", "bG92ZWxh"} {
			if strings.Contains(shown, secret) {
				t.Errorf("%q is in\n%s", secret, shown)
			}
		}
		if !strings.Contains(shown, "*** (before)") || !strings.Contains(shown, "*** (after)") {
			t.Errorf("it does not say that a value changes:\n%s", shown)
		}
	}
}
