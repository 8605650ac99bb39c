package readiness

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kube"
)

// unready gathers what is known of an object that is not ready.
func (j *judgement) unready(live kube.Object, message string) verdict {
	j.memory.forget("ready", string(live.GetUID()))
	findings := j.refusals(live)
	all := len(findings) > 0
	if problem := j.view.hidesPods(live); problem != nil {
		findings = append(findings, finding{grade: passing, text: "why is not known: " + problem.Error()})
	}
	pods := j.currentPods(live)
	held, waiting := 0, 0
	for _, pod := range pods {
		if kube.IsReady(*pod) {
			continue
		}
		ofPod := j.ofPod(pod, replacements(live, pod, pods))
		if j.isOld(live, pod.CreationTimestamp) {
			ofPod = j.letPass(ofPod, pod.CreationTimestamp)
		}
		findings = append(findings, ofPod...)
		waiting++
		if slices.ContainsFunc(ofPod, func(f finding) bool { return f.grade >= blocking }) {
			held++
		}
	}
	if stuck := j.oldPod(live); stuck != nil {
		findings = append(findings, *stuck)
		all = true
	}
	return sum(message, findings, all || held > 0 && held == waiting || failures(live, pods) > crashesThatBlock)
}

// failures counts pods that a node has refused or ended, where others are made in their
// place.
func failures(live kube.Object, pods []*corev1.Pod) (n int) {
	if kube.Kind(live) == kube.JobKind {
		return 0
	}
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodFailed {
			n++
		}
	}
	return n
}

// isOld says whether something that an object has made is from before this run: what
// this run has brought may be what it lacked.
func (j *judgement) isOld(live kube.Object, made metav1.Time) bool {
	applied := appliedAt(live)
	return !j.changed(live) || made.Before(&applied)
}

// letPass grades findings about what is from before this run: as long as it has not
// been tried again, they prove nothing. The longer ago it was made, the more seldom it
// is tried: what a cluster does by itself waits twice as long each time.
func (j *judgement) letPass(findings []finding, made metav1.Time) []finding {
	patience := triedAgain
	if last := j.lastChange(); j.anyChanged() && !last.IsZero() {
		patience = min(max(last.Sub(made.Time), triedAgain), triedAtLast)
	}
	untried := j.memory.now().Sub(j.memory.begun) < patience
	for i, f := range findings {
		if untried || f.ended != nil && j.anyChanged() && f.begun.Sub(j.memory.begun) < settle {
			findings[i].grade = passing
		}
	}
	return findings
}

// lastChange is when this run changed anything last, by the cluster's clock.
func (j *judgement) lastChange() time.Time {
	var last time.Time
	for _, o := range j.set {
		if live, _ := j.first.live(o); live != nil && j.changed(o) {
			if applied := appliedAt(live); applied.After(last) {
				last = applied.Time
			}
		}
	}
	return last
}

// anyChanged says whether this run has changed anything.
func (j *judgement) anyChanged() bool { return slices.ContainsFunc(j.set, j.changed) }

// hasOtherChanged says whether this run has changed anything but an object.
func (j *judgement) hasOtherChanged(object kube.Object) bool {
	return slices.ContainsFunc(j.set, func(o kube.Object) bool { return kube.NameIn(o) != kube.NameIn(object) && j.changed(o) })
}

// replacements is how often an object has made a pod anew that had failed, in the place
// of a pod: a Job does that where its pods are never restarted.
func replacements(live kube.Object, of *corev1.Pod, pods []*corev1.Pod) int32 {
	if kube.Kind(live) != kube.JobKind {
		return 0
	}
	failed := int64(0)
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodFailed && pod.Annotations[batchv1.JobCompletionIndexAnnotation] == of.Annotations[batchv1.JobCompletionIndexAnnotation] {
			failed++
		}
	}
	beside, found, _ := unstructured.NestedInt64(live.Object, "spec", "parallelism")
	if found && of.Annotations[batchv1.JobCompletionIndexAnnotation] == "" {
		failed /= max(beside, 1)
	}
	return int32(max(failed-1, 0))
}

// currentPods returns the pods of an object as it is now; those that a rollout takes
// away may be as broken as they like.
func (j *judgement) currentPods(live kube.Object) []*corev1.Pod {
	switch kube.Kind(live) {
	case deploymentKind:
		if set := j.view.newestSet(live); set != nil {
			return j.view.podsOf(live.GetNamespace(), set.UID)
		}
		return nil
	case kube.StatefulSetKind:
		revision := kube.Text(live, "status", "updateRevision")
		return slices.DeleteFunc(j.view.podsOf(live.GetNamespace(), live.GetUID()), func(pod *corev1.Pod) bool {
			return pod.Labels[appsv1.StatefulSetRevisionLabel] != revision
		})
	}
	return j.view.podsOf(live.GetNamespace(), live.GetUID())
}

// oldPod returns what is wrong with a pod of an old revision that a StatefulSet waits
// for before it replaces it, which may be for ever
// (https://github.com/kubernetes/kubernetes/issues/67250).
func (j *judgement) oldPod(live kube.Object) *finding {
	if kube.Kind(live) != kube.StatefulSetKind || kube.Text(live, "spec", "podManagementPolicy") == string(appsv1.ParallelPodManagement) {
		return nil
	}
	revision := kube.Text(live, "status", "updateRevision")
	for _, pod := range j.view.podsOf(live.GetNamespace(), live.GetUID()) {
		if pod.Labels[appsv1.StatefulSetRevisionLabel] == revision || kube.IsReady(*pod) {
			continue
		}
		for _, f := range j.ofPod(pod, 0) {
			if f.grade == blocking && j.hasOtherChanged(live) { // It may have brought what the old pod lacks.
				f = j.letPass([]finding{f}, pod.CreationTimestamp)[0]
			}
			if f.grade >= blocking {
				f.text = fmt.Sprintf("%s; it is of the old revision, and the rollout waits for it: kubectl --namespace=%s delete pod %s", f.text, pod.Namespace, pod.Name)
				return &f
			}
		}
	}
	return nil
}
