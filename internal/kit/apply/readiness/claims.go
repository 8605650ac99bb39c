package readiness

import (
	"slices"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kube"
)

// judgeClaim: a claim that waits for its first consumer is ready when nothing here
// runs at once with it.
func (j *judgement) judgeClaim(claim kube.Object, result *status.Result) verdict {
	if result.Status == status.CurrentStatus {
		return verdict{state: ready, message: result.Message}
	}
	events := j.view.eventsOf(claim.GetNamespace(), claim.GetUID())
	if len(events) > 0 && events[0].Reason == "WaitForFirstConsumer" {
		if !slices.ContainsFunc(j.set, func(o kube.Object) bool { return consumes(o, claim) }) {
			return verdict{state: ready, message: "bound by its first consumer"}
		}
		return verdict{state: blocked, message: "it waits for a pod that uses it"}
	}
	if refusal := refusedClaim(events); refusal != "" {
		return sum(result.Message, []finding{{grade: blocking, text: refusal}}, true)
	}
	if volume := kube.Text(claim, "spec", "volumeName"); volume != "" {
		f := finding{grade: j.memory.patient(triedAgain, "volume", string(claim.GetUID())), text: "it asks for volume " + volume + ", which is not bound to it"}
		return sum(result.Message, []finding{f}, true)
	}
	return verdict{state: progressing, message: result.Message}
}

// refusedClaim returns why a claim gets no volume, by the events about it, or "".
func refusedClaim(events []*corev1.Event) string {
	if len(events) == 0 || events[0].Reason != "ProvisioningFailed" && events[0].Reason != "FailedBinding" {
		return ""
	}
	if strings.Contains(events[0].Message, lostRace) {
		return ""
	}
	return events[0].Message
}

// lostRace is in the message of a provisioner whose claim was changed by another program
// at the same moment. It tries again at once.
const lostRace = "the object has been modified"

// refusedClaims says which claims of a pod get no volume.
func (j *judgement) refusedClaims(pod *corev1.Pod) []finding {
	var findings []finding
	for _, volume := range pod.Spec.Volumes {
		if volume.PersistentVolumeClaim == nil {
			continue
		}
		name := volume.PersistentVolumeClaim.ClaimName
		if refusal := refusedClaim(j.view.eventsOfClaim(pod.Namespace, name)); refusal != "" {
			findings = append(findings, finding{grade: blocking, text: "claim " + name + ": " + refusal})
		}
	}
	return findings
}

// consumes says whether an object runs pods at once that use a claim.
func consumes(o, claim kube.Object) bool {
	path := []string{"spec", "template", "spec", "volumes"}
	if kube.Kind(o) == podKind {
		path = []string{"spec", "volumes"}
	}
	suspended, _, _ := unstructured.NestedBool(o.Object, "spec", "suspend")
	if o.GetNamespace() != claim.GetNamespace() || number(o, wantedReplicas) == 0 || suspended {
		return false
	}
	return slices.ContainsFunc(kube.Maps(o, path...), func(volume map[string]any) bool {
		name, _, _ := unstructured.NestedString(volume, "persistentVolumeClaim", "claimName")
		return name == claim.GetName()
	})
}
