package readiness

import (
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kube"
)

// ofStatus says what holds a pod up, by its own status. Pods that were made anew
// instead of restarted count as restarts.
func (j *judgement) ofStatus(pod *corev1.Pod, anew int32) []finding {
	var findings []finding
	for _, trouble := range kube.Troubles(pod) {
		trouble.Restarts += anew
		f := finding{text: "pod " + pod.Name + ": " + trouble.Text}
		if trouble.Kind == kube.Ended {
			f.ended = &container{pod.Namespace, pod.Name, trouble.Container, trouble.Previous}
			f.begun = j.memory.begin("run", string(pod.UID), trouble.Container, strconv.Itoa(int(trouble.Restarts)))
		}
		f.grade = j.grade(pod, trouble, f.begun)
		findings = append(findings, f)
	}
	return findings
}

// grade says what a trouble of a pod means for the wait; begun is when the run was
// first seen that ended so.
func (j *judgement) grade(pod *corev1.Pod, trouble kube.Trouble, begun time.Time) grade {
	m, uid := j.memory, string(pod.UID)
	switch {
	case trouble.Final || trouble.Kind == kube.Ended && isNeverRestarted(pod):
		return final
	case trouble.Kind == kube.Unscheduled:
		return j.ofScheduling(pod, trouble)
	case trouble.Kind == kube.Unpulled:
		return m.patient(pulledAgain, "unpulled", uid, trouble.Container)
	case trouble.Kind == kube.Unconfigured:
		return m.after(m.made)
	case trouble.Kind == kube.Ended:
		return j.ofEnd(trouble, begun)
	}
	return blocking
}

// isNeverRestarted says whether nobody starts a container of a pod again, nor makes
// another pod.
func isNeverRestarted(pod *corev1.Pod) bool {
	return pod.Spec.RestartPolicy == corev1.RestartPolicyNever && metav1.GetControllerOf(pod) == nil
}

// ofScheduling grades that no node takes a pod.
func (j *judgement) ofScheduling(pod *corev1.Pod, trouble kube.Trouble) grade {
	switch {
	case strings.Contains(trouble.Text, "unbound immediate PersistentVolumeClaims"), j.view.makesRoom(pod.Namespace):
		return passing
	case strings.Contains(trouble.Text, "not found"): // such as a claim
		return j.memory.after(j.memory.made)
	}
	return j.memory.patient(scheduling, "unscheduled", string(pod.UID))
}

// ofEnd grades that a container has ended: it is held up if that has happened again
// and again, the last time after everything had become ready that has.
func (j *judgement) ofEnd(trouble kube.Trouble, begun time.Time) grade {
	enough := int32(crashesThatBlock)
	if j.hasUnprobed() {
		enough = crashesUnprobed
	}
	if trouble.Running || trouble.Restarts < enough || begun.Before(j.memory.ready) {
		return passing
	}
	return blocking
}

// hasUnprobed says whether this run has changed another object that runs programs and
// counts as ready whether it is or not.
func (j *judgement) hasUnprobed() bool {
	programs := slices.DeleteFunc(slices.Clone(j.set), func(o kube.Object) bool { return templateOf(o) == nil })
	return slices.ContainsFunc(programs, func(o kube.Object) bool {
		return kube.NameIn(o) != kube.NameIn(j.about) && j.changed(o) && isUnprobed(o)
	})
}
