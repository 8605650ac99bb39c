package readiness

import (
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// stage is what a wait sees of a cluster, at a time of its own.
type stage struct {
	*waiter
	now time.Time
}

// newStage waits for objects, in a cluster in which they and the others are.
func newStage(t *testing.T, objects, others string) *stage {
	t.Helper()
	set := decode(t, objects)
	s := &stage{now: time.Unix(1, 0)}
	memory := newMemory(func() time.Time { return s.now })
	s.waiter = newWaiter(nil, set, &judgement{memory: memory, set: set, changed: func(kube.Object) bool { return true }}, progress.New(io.Discard), func(event.Event) {})
	for _, mirrors := range []map[string]*mirror{s.judgement.view.pods, s.judgement.view.sets, s.judgement.view.events} {
		for _, m := range mirrors {
			m.items, m.isRead = map[client.ObjectKey]client.Object{}, true
		}
	}
	for _, m := range s.judgement.view.kinds {
		m.items, m.isRead = map[client.ObjectKey]client.Object{}, true
	}
	s.see(t, objects)
	s.see(t, others)
	return s
}

// see shows objects as they are by now.
func (s *stage) see(t *testing.T, manifests string) {
	t.Helper()
	for _, o := range decode(t, manifests) {
		key, view := client.ObjectKeyFromObject(o), s.judgement.view
		switch o.GetKind() {
		case "Pod":
			view.pods[key.Namespace].items[key] = typed(t, o, &corev1.Pod{})
		case "Event":
			view.events[key.Namespace].items[key] = typed(t, o, &corev1.Event{})
		}
		if m := view.kinds[place{o.GroupVersionKind(), key.Namespace}]; m != nil {
			m.items[key] = o
		}
	}
}

func typed[T client.Object](t *testing.T, o *unstructured.Unstructured, into T) T {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into); err != nil {
		t.Fatal(err)
	}
	return into
}

func decode(t *testing.T, manifests string) []kube.Object {
	t.Helper()
	if manifests == "" {
		return nil
	}
	objects, err := kube.Decode([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// wait lets time pass and returns why the wait has ended, or "" while it goes on.
func (s *stage) wait(t *testing.T, passes time.Duration) string {
	t.Helper()
	for end := s.now.Add(passes); ; s.now = s.now.Add(lookEvery) {
		done, err := s.look()
		switch {
		case err != nil:
			return err.Error()
		case done:
			return "ready"
		case !s.now.Before(end):
			return ""
		}
	}
}

const unready = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME, namespace: api, uid: NAME}
spec: {replicas: 1}
status: {replicas: 1, updateRevision: new, currentRevision: old}
---
`

const podOf = `
apiVersion: v1
kind: Pod
metadata: {name: NAME-0, namespace: api, uid: NAME-0, labels: {controller-revision-hash: new}, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: NAME, uid: NAME, controller: true}]}
spec: {restartPolicy: Always, nodeName: node}
status: {phase: Pending, containerStatuses: [{name: c, STATUS}]}
---
`

const (
	starting   = "state: {waiting: {reason: ContainerCreating}}"
	crashed    = "restartCount: RESTARTS, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}"
	restarted  = "restartCount: RESTARTS, state: {running: {}}, lastState: {terminated: {exitCode: 1}}"
	noImage    = "state: {waiting: {reason: ErrImagePull, message: \"localhost:5001/none:1: not found\"}}"
	noRegistry = "state: {waiting: {reason: ErrImagePull, message: \"connection refused\"}}"
	noSecret   = "state: {waiting: {reason: CreateContainerConfigError, message: secret none not found}}"
)

func named(text, name string, replacements ...string) string {
	return strings.NewReplacer(append([]string{"NAME", name}, replacements...)...).Replace(text)
}

func podIn(name, status, restarts string) string {
	return named(podOf, name, "STATUS", strings.ReplaceAll(status, "RESTARTS", restarts))
}

// podWithClaim is a pod that starts once its claim has a volume, of which something is
// said.
func podWithClaim(said string) string {
	return strings.Replace(podIn("a", starting, "0"), "nodeName: node", "nodeName: node, volumes: [{name: d, persistentVolumeClaim: {claimName: d}}]", 1) + `
apiVersion: v1
kind: Event
metadata: {name: d.1, namespace: api}
involvedObject: {kind: PersistentVolumeClaim, name: d, namespace: api}
reason: ProvisioningFailed
message: ` + strconv.Quote(said) + `
---
`
}

// A wait goes on while anything is on its way that the others may wait for.
func TestWhatEndsAWait(t *testing.T) {
	one, two := named(unready, "a"), named(unready, "a")+named(unready, "b")
	for name, test := range map[string]struct {
		objects, others string
		want            string // "" while it goes on for a minute
	}{
		"starting":                         {one, podIn("a", starting, "0"), ""},
		"one crash":                        {one, podIn("a", crashed, "1"), ""},
		"a crash loop":                     {one, podIn("a", crashed, "2"), "nothing is on its way any more"},
		"a crash loop beside what starts":  {two, podIn("a", crashed, "2") + podIn("b", starting, "0"), ""},
		"crashes without end beside it":    {two, podIn("a", crashed, "5") + podIn("b", starting, "0"), ""},
		"two crash loops":                  {two, podIn("a", crashed, "2") + podIn("b", crashed, "3"), "nothing is on its way any more"},
		"runs again":                       {one, podIn("a", restarted, "4"), ""},
		"no image, beside what starts":     {two, podIn("a", noImage, "0") + podIn("b", starting, "0"), "statefulset.apps/a has failed"},
		"no registry":                      {one, podIn("a", noRegistry, "0"), "nothing is on its way any more"},
		"no volume":                        {one, podWithClaim("no space is left"), "nothing is on its way any more"},
		"a volume, with a lost race":       {one, podWithClaim("Error saving claim: Operation cannot be fulfilled on persistentvolumeclaims: the object has been modified; please apply your changes to the latest version and try again"), ""},
		"no Secret, beside what starts":    {two, podIn("a", noSecret, "0") + podIn("b", starting, "0"), ""},
		"no Secret, and nobody to make it": {two, podIn("a", noSecret, "0") + podIn("b", crashed, "2"), "nothing is on its way any more"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newStage(t, test.objects, test.others).wait(t, time.Minute); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// What holds everything up counts only when it stays.
func TestWhatPasses(t *testing.T) {
	s := newStage(t, named(unready, "a"), podIn("a", noSecret, "0"))
	if got := s.wait(t, settle-lookEvery); got != "" {
		t.Errorf("at once: %q", got)
	}
	s.see(t, podIn("a", starting, "0"))
	if got := s.wait(t, time.Minute); got != "" {
		t.Errorf("with the Secret: %q", got)
	}
	s.see(t, podIn("a", noSecret, "0"))
	if got := s.wait(t, settle-lookEvery); got != "" {
		t.Errorf("without it again: %q", got)
	}
	if got := s.wait(t, settle); got != "nothing is on its way any more" {
		t.Errorf("still without it: %q", got)
	}
}

const isReady = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME, namespace: api, uid: NAME, creationTimestamp: "2026-01-01T00:00:00Z", managedFields: [{manager: ko, time: "2026-01-02T00:00:00Z"}]}
spec: {replicas: 1, template: {spec: {containers: [{name: c, PROBE}]}}}
status: {replicas: 1, readyReplicas: 1, currentReplicas: 1, updatedReplicas: 1, updateRevision: new, currentRevision: new}
---
`

const readyPod = `
apiVersion: v1
kind: Pod
metadata: {name: NAME-0, namespace: api, uid: NAME-0, creationTimestamp: "MADE", labels: {controller-revision-hash: new}, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: NAME, uid: NAME, controller: true}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
---
`

// What crashed before the database was ready is waited for until it was tried again.
func TestCrashesBeforeADatabaseIsReady(t *testing.T) {
	const probed = "readinessProbe: {}"
	s := newStage(t, named(unready, "web")+named(unready, "db"), podIn("web", crashed, "4")+podIn("db", starting, "0"))
	if got := s.wait(t, time.Minute); got != "" {
		t.Errorf("while the database starts: %q", got)
	}
	s.see(t, named(isReady, "db", "PROBE", probed))
	if got := s.wait(t, 2*time.Minute); got != "" {
		t.Errorf("when the database is ready: %q", got)
	}
	s.see(t, podIn("web", restarted, "5"))
	if got := s.wait(t, time.Minute); got != "" {
		t.Errorf("when it runs again: %q", got)
	}
	s.see(t, podIn("web", crashed, "5"))
	if got := s.wait(t, settle); got != "nothing is on its way any more" {
		t.Errorf("when it has crashed again: %q", got)
	}
}

// A program that nobody asks whether it is ready is so only when it has run for a
// moment, unless it has run all along.
func TestReadyWithoutProbe(t *testing.T) {
	for name, test := range map[string]struct {
		probe, made string
		want        string // right away
	}{
		"without probe":            {"image: a", "2026-01-02T00:00:00Z", ""},
		"with a probe":             {"readinessProbe: {}", "2026-01-02T00:00:00Z", "ready"},
		"of before, without probe": {"image: a", "2026-01-01T00:00:00Z", "ready"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, named(isReady, "a", "PROBE", test.probe), named(readyPod, "a", "MADE", test.made))
			if got := s.wait(t, 0); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if got := s.wait(t, holds); got != "ready" {
				t.Errorf("after a moment: %q", got)
			}
		})
	}
}

const refusedPod = `
apiVersion: v1
kind: Event
metadata: {name: NAME, namespace: api}
involvedObject: {uid: NAME}
reason: FailedCreate
message: "exceeded quota: q"
---
`

// What old pods hold of a quota is free when they are gone.
func TestQuotaThatOldPodsHold(t *testing.T) {
	leaving := strings.Replace(podIn("old", starting, "0"), "uid: old-0,", "uid: old-0, deletionTimestamp: \"2026-01-02T00:00:00Z\",", 1)
	s := newStage(t, named(unready, "a"), named(refusedPod, "a")+leaving)
	if got := s.wait(t, time.Minute); got != "" {
		t.Errorf("while they go: %q", got)
	}
	delete(s.judgement.view.pods["api"].items, client.ObjectKey{Namespace: "api", Name: "old-0"})
	if got := s.wait(t, triedAgain); got != "" {
		t.Errorf("when they are gone: %q", got)
	}
	if got := s.wait(t, time.Minute); got != "nothing is on its way any more" {
		t.Errorf("a minute later: %q", got)
	}
}

// What is from before this run may be mended by what it has brought.
func TestWhatIsFromBefore(t *testing.T) {
	old := strings.ReplaceAll(named(isReady, "a", "PROBE", "image: a"), "readyReplicas: 1", "readyReplicas: 0")
	for name, test := range map[string]struct {
		status string
		want   string // a minute later
	}{
		"no Secret":    {noSecret, "nothing is on its way any more"},
		"no image":     {noImage, "statefulset.apps/a has failed"},
		"a crash loop": {strings.ReplaceAll(crashed, "RESTARTS", "7"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			pod := strings.Replace(podIn("a", test.status, "0"), "uid: a-0,", "uid: a-0, creationTimestamp: \"2026-01-01T23:59:50Z\",", 1)
			s := newStage(t, old, pod)
			if got := s.wait(t, triedAgain-lookEvery); got != "" {
				t.Errorf("before it was tried again: %q", got)
			}
			if got := s.wait(t, time.Minute); got != test.want {
				t.Errorf("a minute later: %q, want %q", got, test.want)
			}
		})
	}
}

// A Job that goes as soon as it is complete is complete; what somebody deletes is not.
func TestWhatIsGone(t *testing.T) {
	const job = `{apiVersion: batch/v1, kind: Job, metadata: {name: job, namespace: api}, status: {CONDITIONS}}`
	for status, want := range map[string]string{
		`conditions: [{type: Complete, status: "True"}]`: "ready",
		`active: 1`: "job.batch/job has failed",
	} {
		s := newStage(t, strings.Replace(job, "CONDITIONS", "active: 1", 1), "")
		for _, last := range decode(t, strings.Replace(job, "CONDITIONS", status, 1)) {
			s.judgement.view.kinds[place{last.GroupVersionKind(), "api"}].take(watch.Deleted, last)
		}
		if got := s.wait(t, 2*settle); got != want {
			t.Errorf("with %s: %q, want %q", status, got, want)
		}
	}
}

// A Secret may be made by a program of the set that has an account of its own.
func TestSecretThatAProgramMakes(t *testing.T) {
	for account, want := range map[string]string{"": "nothing is on its way any more", "operator": ""} {
		program := "spec: {replicas: 1, template: {spec: {serviceAccountName: '" + account + "'}}}"
		s := newStage(t, named(unready, "web")+strings.Replace(named(unready, "maker"), "spec: {replicas: 1}", program, 1), podIn("web", noSecret, "0")+podIn("maker", starting, "0"))
		if got := s.wait(t, time.Minute); got != "" {
			t.Errorf("while it starts: %q", got)
		}
		s.see(t, named(isReady, "maker", "PROBE", "readinessProbe: {}"))
		if got := s.wait(t, triedAgain-lookEvery); got != want {
			t.Errorf("with account %q: %q, want %q", account, got, want)
		}
	}
}
