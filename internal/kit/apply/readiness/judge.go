package readiness

import (
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kube"
)

var (
	deploymentKind  = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	statefulSetKind = schema.GroupKind{Group: "apps", Kind: "StatefulSet"}
	daemonSetKind   = schema.GroupKind{Group: "apps", Kind: "DaemonSet"}
	podKind         = schema.GroupKind{Kind: "Pod"}
	claimKind       = schema.GroupKind{Kind: "PersistentVolumeClaim"}
)

// judgement judges the objects of a set by what is seen of the cluster.
type judgement struct {
	view    *view
	memory  *memory
	set     []kube.Object            // all that is waited for
	changed func(o kube.Object) bool // whether this run has changed an object
}

// judge says how an object is doing. For kinds that nothing else is known of, it
// is kstatus which does
// (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus).
func (j *judgement) judge(o kube.Object) verdict {
	live, known, _ := j.view.live(o)
	switch {
	case !known:
		return verdict{message: "nothing is known of it yet"}
	case live == nil:
		return j.gone(o)
	}
	result, err := status.Compute(live)
	if err != nil {
		return verdict{state: progressing, message: err.Error()}
	}
	switch kube.Kind(live) {
	case kube.JobKind:
		return j.judgeJob(live, result)
	case podKind:
		return j.judgePod(live, result)
	case claimKind:
		return j.judgeClaim(live, result)
	case deploymentKind:
		if isPaused(live) {
			return verdict{state: failed, message: fmt.Sprintf("it is paused, and what was changed is not rolled out: kubectl --namespace=%s rollout resume %s", live.GetNamespace(), kube.Name(live))}
		}
	}
	switch {
	case kube.Kind(live) == daemonSetKind && kube.Text(live, "spec", "updateStrategy", "type") == string(appsv1.OnDeleteDaemonSetStrategyType):
		return verdict{state: ready, message: "its pods are replaced when somebody deletes them"}
	case result.Status == status.FailedStatus && !j.hadFailedBefore(live):
		return j.failure(live, result.Message)
	case result.Status == status.CurrentStatus:
		return j.running(live, result.Message)
	}
	return j.unready(live, result.Message)
}

// gone is the verdict on an object that somebody has deleted. A Job may be deleted as
// soon as it is complete, by itself.
func (j *judgement) gone(o kube.Object) verdict {
	last := j.view.last(o)
	switch {
	case last != nil && kube.Kind(o) == kube.JobKind && kube.HasCondition(last, "Complete"):
		return verdict{state: ready, message: "complete"}
	case last != nil && kube.Kind(o) == podKind && kube.Text(last, "status", "phase") == string(corev1.PodSucceeded):
		return verdict{state: ready, message: "complete"}
	case j.memory.since("gone", kube.NameIn(o)) < settle:
		return verdict{state: progressing, message: "it is not there any more"}
	}
	return verdict{state: failed, message: "it is not there any more: somebody has deleted it"}
}

// hasBecomeReady notes that an object is ready, for which others may have waited.
func (j *judgement) hasBecomeReady(o kube.Object) {
	j.memory.ready = j.memory.now()
	switch kube.Kind(o) {
	case deploymentKind, statefulSetKind, daemonSetKind, podKind, claimKind:
	default:
		j.memory.made = j.memory.ready
	}
}

// failure is the verdict on an object that says of itself that it has failed.
func (j *judgement) failure(live kube.Object, message string) verdict {
	v := j.unready(live, message)
	v.state = failed
	return v
}

// running is the verdict on an object that says of itself that it is ready.
func (j *judgement) running(live kube.Object, message string) verdict {
	if j.hasJustStarted(live) {
		return verdict{state: progressing, message: fmt.Sprintf("it has just been started, and has no readiness probe: it counts when it has run for %s", holds)}
	}
	return verdict{state: ready, message: message}
}

// hadFailedBefore says whether a rollout had failed before the wait began: perhaps it
// goes on with what is there now.
func (j *judgement) hadFailedBefore(live kube.Object) bool {
	if kube.Kind(live) != deploymentKind {
		return false
	}
	m := j.memory
	return m.begin("failure", string(live.GetUID())).Sub(m.begun) < time.Second && m.now().Sub(m.begun) < triedAgain
}

// isPaused says whether a Deployment is paused while its template is not rolled out.
func isPaused(deployment kube.Object) bool {
	paused, _, _ := unstructured.NestedBool(deployment.Object, "spec", "paused")
	observed, _, _ := unstructured.NestedInt64(deployment.Object, "status", "observedGeneration")
	updated, _, _ := unstructured.NestedInt64(deployment.Object, "status", "updatedReplicas")
	wanted, found, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
	if !found {
		wanted = 1
	}
	return paused && (observed < deployment.GetGeneration() || updated < wanted)
}

// judgeJob: a Job is ready when it has ended well; one that is suspended has nothing
// to do.
func (j *judgement) judgeJob(job kube.Object, result *status.Result) verdict {
	suspended, _, _ := unstructured.NestedBool(job.Object, "spec", "suspend")
	switch {
	case result.Status == status.FailedStatus:
		condition := kube.Condition(job, "Failed")
		return j.failure(job, fmt.Sprintf("%v: %v", condition["reason"], condition["message"]))
	case kube.HasCondition(job, "Complete"):
		return verdict{state: ready, message: "complete"}
	case suspended:
		return verdict{state: ready, message: "suspended"}
	case result.Status == status.CurrentStatus: // For kstatus it is there once it has started.
		return j.unready(job, "the Job runs")
	}
	return j.unready(job, result.Message)
}

// judgePod: for kstatus a Pod that has ended is as it should be, however it has, and
// one that no node takes for a moment has failed.
func (j *judgement) judgePod(pod kube.Object, result *status.Result) verdict {
	switch kube.Text(pod, "status", "phase") {
	case string(corev1.PodFailed):
		return j.failure(pod, "the Pod has failed")
	case string(corev1.PodSucceeded):
		return verdict{state: ready, message: result.Message}
	}
	if result.Status == status.CurrentStatus {
		return j.running(pod, result.Message)
	}
	return j.unready(pod, result.Message)
}
