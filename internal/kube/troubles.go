package kube

import (
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// TroubleKind is a way in which a pod does not run.
type TroubleKind int

// The ways in which pods do not run.
const (
	Unscheduled  TroubleKind = iota // no node takes the pod
	Unpulled                        // an image cannot be pulled
	Unconfigured                    // a container's ConfigMap or Secret is missing
	Unstarted                       // the program of a container cannot be started
	Ended                           // a container has ended that should run
	Evicted                         // the node has ended the pod
)

// Trouble is why a pod, or one of its containers, does not run.
type Trouble struct {
	Kind      TroubleKind
	Container string // its name, or "" where it is about the pod
	Text      string // what happened, after the name of the pod
	Final     bool   // it does not pass by itself
	Running   bool   // the container runs again
	Previous  bool   // the container has been started again since, or waits for it
	Restarts  int32  // of the container
}

// Troubles says why containers of a pod do not run, or why the pod does not.
func Troubles(pod *corev1.Pod) []Trouble {
	var troubles []Trouble
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			troubles = append(troubles, Trouble{Kind: Unscheduled, Text: "no node takes it: " + condition.Message})
		}
	}
	for _, status := range pod.Status.InitContainerStatuses {
		troubles = append(troubles, ofContainer(pod, status, "init container "+status.Name)...)
	}
	for _, status := range pod.Status.ContainerStatuses {
		troubles = append(troubles, ofContainer(pod, status, "container "+status.Name)...)
	}
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		troubles = append(troubles, Trouble{Kind: Evicted, Text: strings.TrimSpace(pod.Status.Reason + ": " + pod.Status.Message)})
	}
	for i := range troubles {
		troubles[i].Text = Printable(troubles[i].Text)
	}
	return troubles
}

// refusedPull is in what a registry answers to a pull that will never succeed.
var refusedPull = regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|repository does not exist|unauthorized|denied|forbidden|no basic auth|invalid reference|no match for platform`)

// ofContainer says why a container does not run. The reasons are the kubelet's.
func ofContainer(pod *corev1.Pod, status corev1.ContainerStatus, name string) []Trouble {
	t := Trouble{Container: status.Name, Restarts: status.RestartCount}
	waiting := status.State.Waiting
	switch {
	case waiting == nil || waiting.Reason == "CrashLoopBackOff":
		return ofEnd(pod, status, name)
	case waiting.Reason == "PodInitializing" || waiting.Reason == "ContainerCreating" || waiting.Reason == "":
		return nil
	case strings.Contains(waiting.Reason, "Image") || waiting.Reason == "RegistryUnavailable":
		t.Kind, t.Text = Unpulled, fmt.Sprintf("the image of %s cannot be pulled: %s", name, registryAnswer(waiting))
		t.Final = waiting.Reason == "InvalidImageName" || waiting.Reason == "ErrImageNeverPull" || refusedPull.MatchString(waiting.Message)
	case waiting.Reason == "CreateContainerConfigError":
		t.Kind, t.Text = Unconfigured, fmt.Sprintf("%s cannot be made: %s", name, waiting.Message)
	default: // CreateContainerError, RunContainerError and the like
		t.Kind, t.Text, t.Final = Unstarted, fmt.Sprintf("%s cannot be started: %s: %s", name, waiting.Reason, waiting.Message), true
	}
	return []Trouble{t}
}

// registryAnswer leaves out what the kubelet puts around the answer of a registry.
func registryAnswer(waiting *corev1.ContainerStateWaiting) string {
	message := waiting.Message
	if message == "" {
		return waiting.Reason
	}
	for _, around := range []string{"ErrImagePull: ", "rpc error: code = NotFound desc = ", "rpc error: code = Unknown desc = "} {
		if i := strings.Index(message, around); i >= 0 {
			message = message[i+len(around):]
		}
	}
	return message
}

// ofEnd says whether a container has ended that should run, and how.
func ofEnd(pod *corev1.Pod, status corev1.ContainerStatus, name string) []Trouble {
	ended, count := status.State.Terminated, status.RestartCount+1
	if ended == nil {
		ended = status.LastTerminationState.Terminated
	}
	if status.State.Running != nil {
		count--
	}
	if ended == nil || status.Ready || ended.ExitCode == 0 && (pod.Spec.RestartPolicy != corev1.RestartPolicyAlways || isInit(pod, status.Name)) {
		return nil
	}
	t := Trouble{Kind: Ended, Container: status.Name, Restarts: status.RestartCount}
	t.Running, t.Previous = status.State.Running != nil, status.State.Terminated == nil
	t.Text = fmt.Sprintf("%s has ended %s, %s", name, times(count), how(ended))
	if ended.Reason == "StartError" || ended.Reason == "ContainerCannotRun" {
		t.Kind, t.Final, t.Text = Unstarted, true, fmt.Sprintf("%s cannot be started: %s", name, ended.Message)
	}
	return []Trouble{t}
}

// isInit says whether a container runs to its end before the others start.
func isInit(pod *corev1.Pod, name string) bool {
	for _, container := range pod.Spec.InitContainers {
		if container.Name == name {
			return container.RestartPolicy == nil
		}
	}
	return false
}

func times(n int32) string {
	if n <= 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// how says how a container has ended, the last time.
func how(ended *corev1.ContainerStateTerminated) string {
	switch {
	case ended.Reason == "OOMKilled":
		return "killed because it took more memory than its limit"
	case ended.ExitCode == 0:
		return "with exit code 0: its command has to keep running"
	case ended.Signal != 0:
		return fmt.Sprintf("by signal %d", ended.Signal)
	}
	return fmt.Sprintf("with exit code %d", ended.ExitCode)
}
