package readiness

import (
	"regexp"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kube"
)

// finalRefusal is in what the API server says of a pod that it will never take.
var finalRefusal = regexp.MustCompile(`violates PodSecurity|usage per (Container|Pod) is|admission webhook "[^"]*" denied|ValidatingAdmissionPolicy|is invalid: `)

// refusals says why the pods of an object cannot be made.
func (j *judgement) refusals(live kube.Object) []finding {
	message, maker := j.refusal(live)
	if message == "" {
		return nil
	}
	m := j.memory
	if j.view.makesRoom(live.GetNamespace()) {
		m.freed = m.now()
	}
	findings := []finding{{grade: min(m.after(m.ready), m.after(m.freed)), text: "its pods cannot be made: " + kube.Printable(message)}}
	if finalRefusal.MatchString(message) {
		findings[0].grade = final
	}
	if j.isOld(live, maker) {
		return j.letPass(findings, maker)
	}
	return findings
}

// refusal returns what the API server has answered to who makes the pods of an object,
// and since when that is there.
func (j *judgement) refusal(live kube.Object) (message string, maker metav1.Time) {
	if kube.Kind(live) == deploymentKind {
		set := j.view.newestSet(live)
		if set == nil {
			return "", metav1.Time{}
		}
		for _, condition := range set.Status.Conditions {
			if condition.Type == appsv1.ReplicaSetReplicaFailure && condition.Status == corev1.ConditionTrue {
				return condition.Message, set.CreationTimestamp
			}
		}
		return "", metav1.Time{}
	}
	since := appliedAt(live)
	for _, pod := range j.currentPods(live) {
		if since.Before(&pod.CreationTimestamp) {
			since = pod.CreationTimestamp // What was refused before was made since.
		}
	}
	for _, event := range j.view.eventsOf(live.GetNamespace(), live.GetUID()) {
		if last := lastSeen(event); event.Reason == "FailedCreate" && !last.Before(&since) {
			return event.Message, since
		}
	}
	return "", metav1.Time{}
}

// appliedAt is when somebody last set fields of an object, by the cluster's clock.
func appliedAt(live kube.Object) metav1.Time {
	last := live.GetCreationTimestamp()
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource == "" && entry.Time != nil && last.Before(entry.Time) {
			last = *entry.Time
		}
	}
	return last
}
