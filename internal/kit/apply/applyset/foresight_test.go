package applyset

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// What pods use that a rollout replaces is not used afterwards; other pods stay.
func TestForeseeUsage(t *testing.T) {
	const old, now = `spec: {volumes: [{name: x, configMap: {name: old}}]}`, `{spec: {volumes: [{name: x, configMap: {name: now}}]}}`
	const before = `spec: {replicas: 1, template: {spec: {volumes: [{name: x, configMap: {name: old}}]}}}`
	for name, test := range map[string]struct {
		workload, spec string // of the present object
		want           string
	}{
		"a Deployment":                 {"apps/v1 Deployment api/web", `spec: {template: ` + now + `}`, ""},
		"a paused Deployment":          {"apps/v1 Deployment api/web", `spec: {paused: true, template: ` + now + `}`, "pod/web-x"},
		"one that uses it still":       {"apps/v1 Deployment api/web", before, "deployment.apps/web"},
		"a StatefulSet":                {"apps/v1 StatefulSet api/web", `spec: {template: ` + now + `}`, ""},
		"a StatefulSet with partition": {"apps/v1 StatefulSet api/web", `spec: {updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}, template: ` + now + `}`, "pod/web-x"},
		"a StatefulSet by hand":        {"apps/v1 StatefulSet api/web", `spec: {updateStrategy: {type: OnDelete}, template: ` + now + `}`, "pod/web-x"},
		"a DaemonSet":                  {"apps/v1 DaemonSet api/web", `spec: {template: ` + now + `}`, ""},
		"a DaemonSet by hand":          {"apps/v1 DaemonSet api/web", `spec: {updateStrategy: {type: OnDelete}, template: ` + now + `}`, "pod/web-x"},
		"a Job that is made anew":      {"batch/v1 Job api/web", `spec: {template: ` + now + `}`, ""},
		"a Job of a CronJob":           {"batch/v1 CronJob api/web", `spec: {jobTemplate: {spec: {template: ` + now + `}}}`, "job.batch/web-1"},
	} {
		t.Run(name, func(t *testing.T) {
			live := withFields(t, test.workload, before)
			maker, there := live, []kube.Object{live}
			switch live.GetKind() {
			case "Deployment":
				maker = madeBy(live, withFields(t, "apps/v1 ReplicaSet api/web-1", before+"\nstatus: {replicas: 1}"))
			case "CronJob":
				maker = madeBy(live, withFields(t, "batch/v1 Job api/web-1", before))
			}
			if maker != live {
				there = append(there, maker)
			}
			there = append(there, madeBy(maker, withFields(t, "v1 Pod api/web-x", old)))
			gone, present := members(t, "v1 ConfigMap api/old"), []kube.Object{withFields(t, test.workload, test.spec)}
			c := newCluster(interceptor.Funcs{}, there...)
			u, err := ForeseeUsage(t.Context(), c, gone, present)
			if err != nil || u.Of(gone[0]) != test.want {
				t.Errorf("error %v, used by %q, want %q", err, u.Of(gone[0]), test.want)
			}
			if u, err = FindUsage(t.Context(), c, gone, present); err != nil || u.Of(gone[0]) == "" {
				t.Errorf("error %v, before the rollout nothing uses it", err)
			}
		})
	}
}

// What is going to be adopted is known while its pods still run.
func TestForeseeAdoptable(t *testing.T) {
	v := newTown(t)
	v.scale(1)
	pod := madeBy(v.revision, podNaming(t, v.old.GetName()))
	before := naming(v.web.DeepCopy(), v.old.GetName())
	c := newCluster(interceptor.Funcs{}, before, v.now, v.old, v.revision, pod)
	present := []kube.Object{v.web, v.now}
	if candidates, kept, err := Adoptable(t.Context(), c, present); err != nil || len(candidates) != 0 || len(kept) != 1 {
		t.Errorf("error %v, candidates %v, kept %v", err, candidates, kept)
	}
	candidates, kept, err := ForeseeAdoptable(t.Context(), c, present)
	if err != nil || len(candidates) != 1 || candidates[0].Object.GetName() != v.old.GetName() || len(kept) != 0 {
		t.Errorf("error %v, candidates %v, kept %v", err, candidates, kept)
	}
}
