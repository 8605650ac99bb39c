package readiness

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kube"
)

// unready gathers what is known of an object that is not ready.
func (j *judgement) unready(live kube.Object, message string) verdict {
	findings := j.refusals(live)
	all := len(findings) > 0
	if problem := j.view.hidesPods(live); problem != nil {
		findings = append(findings, finding{grade: passing, text: "why is not known: " + problem.Error()})
	}
	pods := j.currentPods(live)
	anew := replacements(live, pods)
	held, waiting := 0, 0
	for _, pod := range pods {
		if kube.IsReady(*pod) {
			continue
		}
		ofPod := j.ofPod(pod, anew)
		if j.isOld(live, pod.CreationTimestamp) {
			ofPod = j.letPass(ofPod)
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
	return sum(message, findings, all || held > 0 && held == waiting)
}

// isOld says whether something that an object has made is from before this run: what
// this run has brought may be what it lacked.
func (j *judgement) isOld(live kube.Object, made metav1.Time) bool {
	applied := appliedAt(live)
	return !j.changed(live) || made.Before(&applied)
}

// letPass grades findings about what is from before this run: as long as it has not
// been tried again, they prove nothing.
func (j *judgement) letPass(findings []finding) []finding {
	untried := j.memory.now().Sub(j.memory.begun) < triedAgain
	for i, f := range findings {
		if untried || f.ended != nil && j.anyChanged() && f.begun.Sub(j.memory.begun) < settle {
			findings[i].grade = passing
		}
	}
	return findings
}

// anyChanged says whether this run has changed anything.
func (j *judgement) anyChanged() bool { return slices.ContainsFunc(j.set, j.changed) }

// replacements is how often an object has made a pod anew that had failed: a Job does
// that where its pods are never restarted.
func replacements(live kube.Object, pods []*corev1.Pod) int32 {
	failed := int32(0)
	if kube.Kind(live) == kube.JobKind {
		for _, pod := range pods {
			if pod.Status.Phase == corev1.PodFailed {
				failed++
			}
		}
	}
	return max(failed-1, 0)
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
	case statefulSetKind:
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
	if kube.Kind(live) != statefulSetKind || kube.Text(live, "spec", "podManagementPolicy") == string(appsv1.ParallelPodManagement) {
		return nil
	}
	revision := kube.Text(live, "status", "updateRevision")
	for _, pod := range j.view.podsOf(live.GetNamespace(), live.GetUID()) {
		if pod.Labels[appsv1.StatefulSetRevisionLabel] == revision || kube.IsReady(*pod) {
			continue
		}
		for _, f := range j.ofPod(pod, 0) {
			if f.grade >= blocking {
				f.text = fmt.Sprintf("%s; it is of the old revision, and the rollout waits for it: kubectl --namespace=%s delete pod %s", f.text, pod.Namespace, pod.Name)
				return &f
			}
		}
	}
	return nil
}
