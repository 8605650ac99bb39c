package readiness

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kube"
)

var (
	deploymentKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	daemonSetKind  = schema.GroupKind{Group: "apps", Kind: "DaemonSet"}
	podKind        = schema.GroupKind{Kind: "Pod"}
	claimKind      = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	replicaSetKind = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	controllerKind = schema.GroupKind{Kind: "ReplicationController"}
)

// judgement judges the objects of a set by what is seen of the cluster.
type judgement struct {
	view    *view
	first   *view // the objects as they were at the beginning, those too that were ready
	memory  *memory
	set     []kube.Object            // all that is waited for
	changed func(o kube.Object) bool // whether this run has changed an object
	about   kube.Object              // what is judged now
}

// judge says how an object is doing. For kinds that nothing else is known of, it
// is kstatus which does
// (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus).
func (j *judgement) judge(o kube.Object) verdict {
	live, known := j.view.live(o)
	switch {
	case !known:
		return verdict{message: "nothing is known of it yet"}
	case live == nil:
		return j.gone(o)
	case live.GetDeletionTimestamp() != nil:
		return j.leaving(live)
	}
	j.about = live
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
	case isOnDelete(live):
		return j.judgeOnDelete(live)
	case kube.Kind(live) == controllerKind || kube.Kind(live) == replicaSetKind:
		return j.judgeCount(live, wantedReplicas, "status.readyReplicas")
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
	case last != nil && kube.Kind(o) == kube.JobKind && kube.HasCondition(last, "Failed"):
		return verdict{state: failed, message: reasonOf(last)}
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
	if makesObjects(o) {
		j.memory.made = j.memory.ready
	}
}

// makesObjects says whether an object may make others, such as a Secret: a Job, a
// custom resource, or a program that has an account of its own with the API server.
func makesObjects(o kube.Object) bool {
	if kube.Kind(o) == claimKind {
		return false
	}
	path := templateOf(o)
	if path == nil {
		return true
	}
	account := kube.Text(o, append(path, "serviceAccountName")...)
	return account != "" && account != "default"
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

// isOnDelete says whether a workload replaces its pods only when somebody deletes them.
func isOnDelete(live kube.Object) bool {
	return kube.Text(live, "spec", "updateStrategy", "type") == string(appsv1.OnDeleteDaemonSetStrategyType)
}

// judgeOnDelete: such a workload is ready when all its pods are, whatever they run.
func (j *judgement) judgeOnDelete(live kube.Object) verdict {
	if kube.Kind(live) == daemonSetKind {
		return j.judgeCount(live, "status.desiredNumberScheduled", "status.numberReady")
	}
	return j.judgeCount(live, wantedReplicas, "status.readyReplicas")
}

// judgeCount: a workload is ready when as many pods are ready as it wants.
func (j *judgement) judgeCount(live kube.Object, wanted, ready string) verdict {
	message := fmt.Sprintf("Ready: %d/%d", number(live, ready), number(live, wanted))
	if !isObserved(live) || number(live, ready) < number(live, wanted) {
		return j.unready(live, message)
	}
	return j.running(live, message)
}

// wantedReplicas is the field that says how many pods a workload wants.
const wantedReplicas = "spec.replicas"

// number returns a number in an object. Of replicas there is one unless it says otherwise.
func number(o kube.Object, path string) int64 {
	n, found, _ := unstructured.NestedInt64(o.Object, strings.Split(path, ".")...)
	if !found && path == wantedReplicas {
		return 1
	}
	return n
}

// isObserved says whether the status of an object is about what it is now.
func isObserved(o kube.Object) bool {
	return number(o, "status.observedGeneration") >= o.GetGeneration()
}

// leaving is the verdict on an object that somebody deletes.
func (j *judgement) leaving(live kube.Object) verdict {
	message := "it is being deleted"
	if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
		message += ", " + kube.ByFinalizer + strings.Join(finalizers, " and ")
	}
	f := finding{grade: j.memory.patient(triedAgain, "leaving", string(live.GetUID())), text: message}
	return sum("it will be gone", []finding{f}, true)
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
	updated := number(deployment, "status.updatedReplicas")
	return paused && (!isObserved(deployment) || updated < number(deployment, wantedReplicas))
}

// judgeJob: a Job is ready when it has ended well; one that is suspended has nothing
// to do.
func (j *judgement) judgeJob(job kube.Object, result *status.Result) verdict {
	suspended, _, _ := unstructured.NestedBool(job.Object, "spec", "suspend")
	switch {
	case result.Status == status.FailedStatus:
		return j.failure(job, reasonOf(job))
	case kube.HasCondition(job, "Complete"):
		return verdict{state: ready, message: "complete"}
	case suspended:
		return verdict{state: ready, message: "suspended"}
	case result.Status == status.CurrentStatus: // For kstatus it is there once it has started.
		return j.unready(job, "the Job runs")
	}
	return j.unready(job, result.Message)
}

// reasonOf says why a Job has failed.
func reasonOf(job kube.Object) string {
	condition := kube.Condition(job, "Failed")
	return fmt.Sprintf("%v: %v", condition["reason"], condition["message"])
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
