package readiness

import (
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kube"
)

// passedOn are the events that tell that a pod has got further than to its volumes.
var passedOn = []string{"Pulling", "Pulled", "Created", "Started"}

// ofPod says what holds a pod up, by its status and its events; anew is how many pods
// were there in its place before.
func (j *judgement) ofPod(pod *corev1.Pod, anew int32) []finding {
	findings := append(j.ofStatus(pod, anew), j.refusedClaims(pod)...)
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Reason == "ReadinessGatesNotReady" {
			findings = append(findings, finding{grade: passing, text: "pod " + pod.Name + ": " + condition.Message})
		}
	}
	unseen := pod.Spec.NodeName == "" && pod.Status.Phase == corev1.PodPending && len(pod.Status.Conditions) == 0
	if unseen && j.memory.patient(triedAgain, "no scheduler", string(pod.UID)) == blocking {
		findings = append(findings, finding{grade: blocking, text: "pod " + pod.Name + ": its scheduler, " + pod.Spec.SchedulerName + ", has not looked at it"})
	}
	seen := map[string]bool{}
	for _, event := range j.view.eventsOf(pod.Namespace, pod.UID) {
		kind := event.Reason
		if kind == "Unhealthy" { // of one probe or another
			kind, _, _ = strings.Cut(event.Message, ":")
		}
		if seen[kind] {
			continue
		}
		seen[kind] = true
		switch event.Reason {
		case "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox":
			if pod.Status.Phase == corev1.PodPending && !slices.ContainsFunc(passedOn, func(reason string) bool { return seen[reason] }) {
				findings = append(findings, finding{grade: j.ofVolume(pod, event), text: "pod " + pod.Name + ": " + kube.Printable(event.Message)})
			}
		case "Unhealthy":
			findings = append(findings, finding{grade: passing, text: "pod " + pod.Name + ": " + kube.Printable(event.Message)})
		case "Killing":
			explainEnd(findings, pod, event.Message)
		case "TriggeredScaleUp", "Nominated": // Of the autoscalers of nodes: one is on its way.
			findings = slices.DeleteFunc(findings, func(f finding) bool { return strings.Contains(f.text, "no node takes it") })
		}
	}
	return findings
}

// explainEnd says of a container whether it has ended because a probe failed.
func explainEnd(findings []finding, pod *corev1.Pod, message string) {
	if !strings.Contains(message, "probe") {
		return
	}
	for i, f := range findings {
		if f.ended != nil && strings.Contains(message, "ontainer "+f.ended.name+" failed") { // "Container", or "Init container"
			findings[i].text = "pod " + pod.Name + ": " + message
		}
	}
}

// isMissing is in what a kubelet says of a volume that nobody can give it.
var isMissing = regexp.MustCompile(`not found|non-existent|hostPath type check failed`)

// ofVolume grades that a kubelet has not got what a pod needs before it starts.
func (j *judgement) ofVolume(pod *corev1.Pod, event *corev1.Event) grade {
	missing := isMissing.MatchString(event.Message) && !strings.Contains(event.Message, "kube-root-ca.crt")
	patience := map[string]time.Duration{"FailedAttachVolume": attached}[event.Reason]
	switch {
	case missing:
		return j.memory.after(j.memory.made)
	case patience == 0:
		patience = triedAgain
	}
	return j.memory.patient(patience, event.Reason, string(pod.UID))
}
