//go:build apiserver

package apply_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kube"
)

// pieces are what an overlay may have, NAME times VERSION of each. PLACE is one of two
// namespaces. What needs a node to get ready is not among them.
var pieces = strings.Split(strings.TrimSpace(`
{apiVersion: v1, kind: ConfigMap, metadata: {name: NAME, namespace: PLACE}, data: {version: "VERSION"}}
{apiVersion: v1, kind: ConfigMap, metadata: {name: NAME-fixed, namespace: PLACE}, immutable: true, data: {version: "VERSION"}}
{apiVersion: v1, kind: Secret, metadata: {name: NAME, namespace: PLACE}, stringData: {version: "VERSION"}}
{apiVersion: v1, kind: Service, metadata: {name: NAME, namespace: PLACE}, spec: {selector: {v: "VERSION"}, ports: [{port: 80}]}}
{apiVersion: v1, kind: ServiceAccount, metadata: {name: NAME, namespace: PLACE, labels: {v: "VERSION"}}}
{apiVersion: v1, kind: LimitRange, metadata: {name: NAME, namespace: PLACE}, spec: {limits: [{type: Container, max: {cpu: "VERSION"}}]}}
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: NAME, namespace: PLACE}, rules: [{apiGroups: [""], resources: [configmaps], resourceNames: ["VERSION"], verbs: [get]}]}
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: NAME, namespace: PLACE}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{kind: ServiceAccount, name: "VERSION", namespace: PLACE}]}
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NS-NAME}, rules: [{apiGroups: [""], resources: [nodes], resourceNames: ["VERSION"], verbs: [get]}]}
{apiVersion: apps/v1, kind: Deployment, metadata: {name: NAME, namespace: PLACE}, spec: {replicas: 0, selector: {matchLabels: {app: NAME}}, template: {metadata: {labels: {app: NAME}}, spec: {containers: [{name: c, image: "example.com/c:VERSION", envFrom: [{configMapRef: {name: generated}}, {secretRef: {name: generated}}]}]}}}}
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: NAME, namespace: PLACE}, spec: {replicas: 0, serviceName: NAME, selector: {matchLabels: {app: NAME}}, template: {metadata: {labels: {app: NAME}}, spec: {containers: [{name: c, image: "example.com/c:VERSION"}]}}}}
{apiVersion: batch/v1, kind: CronJob, metadata: {name: NAME, namespace: PLACE}, spec: {suspend: true, schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "example.com/c:VERSION"}]}}}}}}
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: NAME, namespace: PLACE}, spec: {maxUnavailable: VERSION, selector: {matchLabels: {app: NAME}}}}
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: NAME, namespace: PLACE}, spec: {podSelector: {matchLabels: {v: "VERSION"}}}}
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: NAME, namespace: PLACE}, spec: {defaultBackend: {service: {name: NAME, port: {number: VERSION}}}}}
`), "\n")

// overlay is a kustomization that is edited.
type overlay struct {
	dir, namespace string
	random         *rand.Rand
	has            map[string]int // the version of each piece, by its text with a name and a place
	color          map[string]int // what generators make, by their kinds
	prefix         string         // of all names
}

func newOverlay(t *testing.T, namespace string, random *rand.Rand) *overlay {
	t.Helper()
	o := &overlay{dir: t.TempDir(), namespace: namespace, random: random, has: map[string]int{}, color: map[string]int{"configMap": 1, "secret": 1}}
	for range 6 {
		o.add()
	}
	return o
}

// edit changes the overlay by one to four edits, and says by which.
func (o *overlay) edit() string {
	var done []string
	for range 1 + o.random.IntN(4) {
		edits := []func() string{o.add, o.add, o.remove, o.remove, o.change, o.change, o.generate, o.generate}
		if o.random.IntN(5) == 0 {
			edits = []func() string{o.rename, o.clear}
		}
		done = append(done, edits[o.random.IntN(len(edits))]())
	}
	return strings.Join(done, ", ")
}

func (o *overlay) add() string {
	place := o.namespace + []string{"", "", "-b"}[o.random.IntN(3)]
	piece := pieces[o.random.IntN(len(pieces))]
	if strings.Contains(piece, "Deployment") {
		place = o.namespace // where the generators are
	}
	text := strings.NewReplacer("NAME", string(rune('a'+o.random.IntN(4))), "PLACE", place, "NS", o.namespace).Replace(piece)
	o.has[text] = 1
	return "add " + text
}

// some returns one of the pieces that the overlay has, or "".
func (o *overlay) some() string {
	all := slices.Sorted(maps.Keys(o.has))
	if len(all) == 0 {
		return ""
	}
	return all[o.random.IntN(len(all))]
}

func (o *overlay) remove() string {
	text := o.some()
	delete(o.has, text)
	return "remove " + text
}

func (o *overlay) change() string {
	text := o.some()
	if text != "" {
		o.has[text] += 1 + o.random.IntN(3)
	}
	return "change " + text
}

func (o *overlay) generate() string {
	kind := []string{"configMap", "secret"}[o.random.IntN(2)]
	o.color[kind] = o.random.IntN(4) // An old name may come back; with 0, there is none.
	return fmt.Sprintf("generate %s %d", kind, o.color[kind])
}

func (o *overlay) rename() string {
	o.prefix = []string{"", "x-", "y-"}[o.random.IntN(3)]
	return "prefix " + o.prefix
}

func (o *overlay) clear() string {
	o.has = map[string]int{}
	return "remove all"
}

// render writes the files and renders them, as the API server is going to see them.
func (o *overlay) render(t *testing.T) []kube.Object {
	t.Helper()
	var documents []string
	for _, text := range slices.Sorted(maps.Keys(o.has)) {
		documents = append(documents, strings.ReplaceAll(text, "VERSION", strconv.Itoa(o.has[text])))
	}
	documents = append(documents, "{apiVersion: v1, kind: ConfigMap, metadata: {name: always, namespace: "+o.namespace+"}}")
	file := "resources: [all.yaml]\n"
	if o.prefix != "" {
		file += "namePrefix: " + o.prefix + "\n"
	}
	for _, kind := range slices.Sorted(maps.Keys(o.color)) {
		if o.color[kind] > 0 {
			file += fmt.Sprintf("%sGenerator: [{name: generated, namespace: %s, literals: [color=%d]}]\n", kind, o.namespace, o.color[kind])
		}
	}
	for name, text := range map[string]string{"kustomization.yaml": file, "all.yaml": strings.Join(documents, "\n---\n")} {
		if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifests, err := render.Kustomization(o.dir, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, "", string(manifests))
}

// PRUNE_EDITS is how often overlays are edited and applied, all together.
func edits(t *testing.T) int {
	t.Helper()
	text := os.Getenv("PRUNE_EDITS")
	if text == "" {
		return 30
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		t.Fatalf("PRUNE_EDITS=%q: expected how many edits", text)
	}
	return n
}

// overlays is how many are edited at the same time, each with namespaces of its own.
const overlays = 3

// After each of many edits and --prune, the cluster has what was rendered, nothing that
// was rendered before, and all that others made as it was.
func TestRandomEdits(t *testing.T) {
	c := apitest.Cluster(t)
	random := chance(t)
	for i := range overlays {
		random, n := rand.New(rand.NewPCG(random.Uint64(), 0)), (edits(t)+overlays-1)/overlays
		t.Run(fmt.Sprintf("overlay %d", i), func(t *testing.T) {
			t.Parallel()
			editAndApply(t, c, random, n)
		})
	}
}

func editAndApply(t *testing.T, c *kube.Cluster, random *rand.Rand, n int) {
	t.Helper()
	w := newWorld(t, c)
	o := newOverlay(t, w.namespace, random)
	pruned := 0
	for step := range n {
		what := o.edit()
		objects := o.render(t)
		switch random.IntN(8) {
		case 0: // applied without --prune in between
			opts := plainly(shopSet)
			opts.Replace = true
			mustApply(t, c, opts, objects...)
			objects = o.render(t)
		case 1: // ended anywhere
			at := 1 + random.Int64N(80)
			applyWith(t.Context(), withFaults(c, func(n int64) fault {
				if n >= at {
					return faults["connection cut"]
				}
				return nil
			}).Cluster, pruning(shopSet), objects...)
			o.edit()
			objects = o.render(t)
		}
		r := mustApply(t, c, pruning(shopSet), objects...)
		pruned += len(r.done("pruned"))
		if w.check(t, objects); t.Failed() {
			t.Fatalf("after step %d, %s:\n%s", step, what, strings.Join(r.lines, "\n"))
		}
	}
	r := deleteWith(t, c, shopSet, o.render(t)...)
	if r.err != nil {
		t.Error(r.err)
	}
	w.check(t, nil)
	t.Logf("%d edits, %d objects pruned", n, pruned)
}
