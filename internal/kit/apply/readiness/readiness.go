package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
)

// errNotInTime ends the waiting for objects that are not ready yet.
var errNotInTime = errors.New("not in time")

// Wait returns when every object in the manifests is what it should be: rolled
// out, bound, established, as kstatus judges it
// (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus), and a
// Job complete. It gives up when one has failed for good or the timeout has
// passed, and says of each object that is not ready what holds it up.
func (c *Cluster) Wait(ctx context.Context, manifests []byte, timeout time.Duration, log *progress.Log) error {
	objects, err := decode(manifests)
	if err != nil {
		return err
	}
	if err := c.placeAll(objects); err != nil {
		return err
	}
	inTime, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w: %s have passed", errNotInTime, timeout))
	defer cancel()
	waiting, giveUp := context.WithCancelCause(inTime)
	defer giveUp(nil)
	unready := make([]error, len(objects))
	var group sync.WaitGroup
	for i, o := range objects {
		group.Go(func() {
			unready[i] = c.awaitReady(waiting, o, log)
			if unready[i] != nil && waiting.Err() == nil {
				giveUp(fmt.Errorf("%s has failed", reference(o)))
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := errors.Join(unready...); err != nil {
		return fmt.Errorf("waiting for the objects to be ready: %w\n%w", context.Cause(waiting), err)
	}
	return nil
}

// awaitReady polls one object. Only what takes time is shown: a Service is
// ready at the first look.
func (c *Cluster) awaitReady(ctx context.Context, o object, log *progress.Log) error {
	task := log.Start(reference(o), "")
	defer task.Stop()
	for first := true; ; first = false {
		now := c.look(ctx, o)
		switch {
		case now.Status == status.CurrentStatus && first:
			return nil
		case now.Status == status.CurrentStatus:
			task.Done("ready")
			return nil
		case now.Status == status.FailedStatus:
			return fmt.Errorf("%s: %s%s", reference(o), now.Message, c.podTroubles(ctx, o))
		}
		task.Step(now.Message)
		select {
		case <-ctx.Done():
			return c.heldUp(ctx, o, now.Message)
		case <-time.After(pollEvery):
		}
	}
}

// heldUp says what an object was waiting for when the waiting ended.
func (c *Cluster) heldUp(ctx context.Context, o object, message string) error {
	troubles := ""
	if errors.Is(context.Cause(ctx), errNotInTime) {
		troubles = c.podTroubles(context.WithoutCancel(ctx), o)
	}
	return fmt.Errorf("%s: %s%s", reference(o), message, troubles)
}

// look judges an object as it is now. A look that fails proves nothing, so the
// object counts as on its way.
func (c *Cluster) look(ctx context.Context, o object) *status.Result {
	onItsWay := func(message string) *status.Result {
		return &status.Result{Status: status.InProgressStatus, Message: message}
	}
	live, err := c.live(ctx, o)
	if err != nil {
		return onItsWay(err.Error())
	}
	if live == nil {
		return onItsWay("it is not there any more")
	}
	result, err := status.Compute(live)
	if err != nil {
		return onItsWay(err.Error())
	}
	if result.Status == status.CurrentStatus && live.GroupVersionKind().GroupKind() == jobKind && !isComplete(live) {
		return onItsWay("the Job runs") // For kstatus it is there once it has started.
	}
	return result
}

var jobKind = schema.GroupKind{Group: "batch", Kind: "Job"}

func isComplete(job object) bool { return hasCondition(job, "Complete") }

// troubleTimeout bounds the look at the pods of a workload that is not ready.
const troubleTimeout = 5 * time.Second

// podTroubles says why the containers of a workload's pods do not run, which
// the workload's own status does not.
func (c *Cluster) podTroubles(ctx context.Context, o object) string {
	labels, found, err := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	if err != nil || !found {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, troubleTimeout)
	defer cancel()
	var pods corev1.PodList
	if err := c.client.List(ctx, &pods, client.InNamespace(o.GetNamespace()), client.MatchingLabels(labels)); err != nil {
		return fmt.Sprintf(" (its pods cannot be listed: %v)", err)
	}
	var troubles strings.Builder
	for _, pod := range pods.Items {
		for _, trouble := range podTrouble(&pod) {
			fmt.Fprintf(&troubles, "\n  pod %s: %s", pod.Name, trouble)
		}
	}
	return troubles.String()
}

func podTrouble(pod *corev1.Pod) []string {
	var troubles []string
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			troubles = append(troubles, condition.Reason+": "+condition.Message)
		}
	}
	for _, container := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		switch state := container.State; {
		case state.Waiting != nil && state.Waiting.Reason != "PodInitializing":
			troubles = append(troubles, fmt.Sprintf("container %s: %s%s%s", container.Name, state.Waiting.Reason, message(state.Waiting.Message), lastEnd(container)))
		case state.Waiting != nil:
		case state.Terminated != nil && !container.Ready:
			troubles = append(troubles, fmt.Sprintf("container %s: ended with exit code %d", container.Name, state.Terminated.ExitCode))
		case state.Running != nil && !container.Ready:
			troubles = append(troubles, fmt.Sprintf("container %s: running, not ready", container.Name))
		}
	}
	return troubles
}

func message(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// lastEnd says how a container that is started again and again ended.
func lastEnd(container corev1.ContainerStatus) string {
	ended := container.LastTerminationState.Terminated
	if ended == nil {
		return ""
	}
	hint := ""
	if ended.ExitCode == 0 {
		hint = "; its command has to keep running"
	}
	return fmt.Sprintf(" (it ended with exit code %d%s)", ended.ExitCode, hint)
}
