package apply_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// twenty are objects of which VERSION is changed from one release to the next, and
// things that own no field.
var twenty = strings.Split(strings.TrimSpace(`
{apiVersion: v1, kind: Namespace, metadata: {name: NS-more}}
{apiVersion: v1, kind: ServiceAccount, metadata: {name: plain, namespace: NS}}
{apiVersion: v1, kind: ServiceAccount, metadata: {name: more, namespace: NS-more}}
{apiVersion: v1, kind: ConfigMap, metadata: {name: one, namespace: NS}, data: {version: "VERSION"}}
{apiVersion: v1, kind: ConfigMap, metadata: {name: two, namespace: NS}, data: {same: "1"}}
{apiVersion: v1, kind: ConfigMap, metadata: {name: fixed, namespace: NS}, immutable: true, data: {version: "VERSION"}}
{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS}, stringData: {version: "VERSION"}}
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: NS}, spec: {selector: {v: "VERSION"}, ports: [{port: 80}]}}
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader, namespace: NS}, rules: [{apiGroups: [""], resources: [configmaps], resourceNames: ["VERSION"], verbs: [get]}]}
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reader, namespace: NS}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: ServiceAccount, name: "VERSION", namespace: NS}]}
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: NS}, spec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: "example.com/c:VERSION"}]}}}}
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: NS}, spec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: "example.com/c:VERSION"}]}}}}
{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly, namespace: NS}, spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "example.com/c:VERSION"}]}}}}}}
{apiVersion: batch/v1, kind: Job, metadata: {name: migrate, namespace: NS}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "example.com/c:VERSION"}]}}}}
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web, namespace: NS}, spec: {maxUnavailable: VERSION, selector: {matchLabels: {app: web}}}}
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web, namespace: NS}, spec: {podSelector: {matchLabels: {v: "VERSION"}}}}
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: NS}, spec: {defaultBackend: {service: {name: web, port: {number: VERSION}}}}}
{apiVersion: v1, kind: LimitRange, metadata: {name: limits, namespace: NS}, spec: {limits: [{type: Container, max: {cpu: "VERSION"}}]}}
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: NS}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
{apiVersion: v1, kind: ResourceQuota, metadata: {name: quota, namespace: NS}, spec: {hard: {count/secrets: "VERSION0"}}}
`), "\n")

// chance chooses, by a seed that is printed. See [kittest.Seed].
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(kittest.Seed(t), 0))
}

// times is how often something is tried by chance, less where tests are to be quick.
func times(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}

func release(t *testing.T, namespace, version string) []kube.Object {
	t.Helper()
	return decode(t, namespace, strings.ReplaceAll(strings.Join(twenty, "\n---\n"), "VERSION", version))
}

// begin puts some of the first release into a namespace, each object in one of the
// ways by which it may have come there.
func begin(t *testing.T, c *kube.Cluster, namespace string, random *rand.Rand) {
	t.Helper()
	for _, o := range release(t, namespace, "1")[3:] {
		var err error
		switch random.IntN(4) {
		case 0: // not there
		case 1:
			_, err = send(t, c, plan.Options{}, o)
		case 2:
			err = c.Create(t.Context(), o, client.FieldOwner("kubectl-create"))
		case 3:
			by(t, c, "helm", o)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sendThrough applies the second release through a faulty cluster.
func sendThrough(ctx context.Context, f *faulty, objects []kube.Object) error {
	opts := apply.Options{Options: plan.Options{ForceConflicts: true, Replace: true}, Timeout: 5 * time.Minute}
	return apply.Send(ctx, f.Cluster, objects, opts, progress.New(io.Discard), func(event.Event) {})
}

// Whatever goes wrong with whichever request: the cluster is as it was, or all is
// done, or the message names what is not.
func TestUndo(t *testing.T) {
	c := newCluster(t)
	random := chance(t)
	requests := countRequests(t, c, random)
	for name, broken := range faults {
		for at := int64(1); at <= requests; at++ {
			if random.IntN(oneIn) > 0 {
				continue
			}
			random := rand.New(rand.NewPCG(random.Uint64(), 0))
			t.Run(fmt.Sprintf("request %d %s", at, name), func(t *testing.T) {
				t.Parallel()
				undoOne(t, c, random, func(n int64) fault {
					if n == at {
						return broken
					}
					return nil
				})
			})
		}
	}
}

// countRequests returns how many requests an apply takes that goes well.
func countRequests(t *testing.T, c *kube.Cluster, random *rand.Rand) int64 {
	t.Helper()
	f := withFaults(c, func(int64) fault { return nil })
	ns := newNamespace(t, c)
	begin(t, c, ns, random)
	if err := sendThrough(t.Context(), f, release(t, ns, "2")); err != nil {
		t.Fatal(err)
	}
	return f.sent.Load()
}

func undoOne(t *testing.T, c *kube.Cluster, random *rand.Rand, wrong func(int64) fault) {
	t.Helper()
	ns := newNamespace(t, c)
	begin(t, c, ns, random)
	objects := release(t, ns, "2")
	random.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
	before := snapshot(t, c, objects)
	err := sendThrough(t.Context(), withFaults(c, wrong), objects)
	judge(t, c, before, objects, err)
}

// judge holds what is said of an apply to what has become of the cluster.
func judge(t *testing.T, c *kube.Cluster, before map[string]string, objects []kube.Object, err error) {
	t.Helper()
	after := snapshot(t, c, objects)
	if err == nil {
		if len(after) != len(objects) {
			t.Errorf("nothing failed, and there are %d of %d objects", len(after), len(objects))
		}
		return
	}
	if !strings.Contains(err.Error(), errInjected.Error()) && !errors.Is(err, context.Canceled) {
		t.Errorf("it failed for another reason: %v", err)
	}
	said := err.Error()
	var changed []string
	for _, o := range objects {
		if key := kube.Name(o) + " in " + o.GetNamespace(); before[key] != after[key] {
			changed = append(changed, kube.Name(o))
			if !strings.Contains(said, kube.Name(o)) {
				t.Errorf("%s was\n%s\nand is\n%s\nand the error does not name it: %v", key, before[key], after[key], err)
			}
		}
	}
	asItWas := strings.Contains(said, "the cluster is as it was") || strings.Contains(said, "nothing was changed")
	if len(changed) > 0 && asItWas {
		t.Errorf("it says that the cluster is as it was, and it is not: %q", changed)
	}
}

// A request for the undoing may go wrong as well.
func TestUndoThatFails(t *testing.T) {
	c := newCluster(t)
	random := chance(t)
	requests := countRequests(t, c, random)
	for range times(16) {
		first, random := requests*2/3+random.Int64N(requests/3)+1, rand.New(rand.NewPCG(random.Uint64(), 0))
		second := first + 1 + random.Int64N(20)
		t.Run(fmt.Sprintf("requests %d and %d", first, second), func(t *testing.T) {
			t.Parallel()
			undoOne(t, c, random, func(n int64) fault {
				if n == first || n == second {
					return faults["refused"]
				}
				return nil
			})
		})
	}
}

// Interrupted anywhere, it undoes what it did. Killed anywhere, the same command
// goes on where the first ended.
func TestInterruptedAndKilled(t *testing.T) {
	c := newCluster(t)
	random := chance(t)
	requests := countRequests(t, c, random)
	for at := int64(1); at <= requests; at++ {
		if random.IntN(oneIn) > 0 {
			continue
		}
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		t.Run(fmt.Sprintf("at request %d", at), func(t *testing.T) {
			t.Parallel()
			interruptAndKill(t, c, random, at)
		})
	}
}

func interruptAndKill(t *testing.T, c *kube.Cluster, random *rand.Rand, at int64) {
	t.Helper()
	ns := newNamespace(t, c)
	begin(t, c, ns, random)
	objects := release(t, ns, "2")
	before := snapshot(t, c, objects)
	ctx, cancel := context.WithCancel(t.Context())
	err := sendThrough(ctx, withFaults(c, func(n int64) fault {
		if n == at {
			return func(_ context.Context, do func() error) error { cancel(); return do() }
		}
		return nil
	}), objects)
	cancel()
	judge(t, c, before, objects, err)

	killed := func(context.Context, func() error) error { return errInjected }
	_ = sendThrough(t.Context(), withFaults(c, func(n int64) fault {
		if n >= at {
			return killed
		}
		return nil
	}), release(t, ns, "2"))
	if err := sendThrough(t.Context(), withFaults(c, func(int64) fault { return nil }), release(t, ns, "2")); err != nil {
		t.Errorf("the same command once more: %v", err)
	}
	lines, err := send(t, c, plan.Options{}, release(t, ns, "2")...)
	changed := slices.DeleteFunc(lines, func(line string) bool { return strings.HasSuffix(line, " unchanged") })
	if err != nil || len(changed) > 0 {
		t.Errorf("it left something to do: %q, error %v", changed, err)
	}
}
