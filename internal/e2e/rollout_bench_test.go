//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// rollouts measures the stages of rollouts of payments-svc by `ko apply -k --wait`.
type rollouts struct {
	cluster  *cluster
	checkout string
	took     [][]time.Duration // of each step, in each rollout
}

// rolloutSteps are the events that end the stages of a rollout, in their order, and
// what happens in the stage that each of them ends.
var rolloutSteps = []struct{ event, what string }{
	{"payments-svc: building", "ko starts, renders, and finds which images have changed"},
	{"payments-svc: built", "go build, and the image is packed"},
	{"payments-svc: published", "the image is pushed"},
	{"deployment.apps/payments-svc configured", "all objects are compared and applied"},
	{"old pod deleted", "the old pod ends: its volume can only be used by one"},
	{"new pod running", "the new pod is scheduled, its image pulled, its container started"},
	{"new pod ready", "the new pod's readiness is seen"},
}

// apply deploys what was just edited, and notes when each step is seen.
func (r *rollouts) apply(b *testing.B) {
	b.Helper()
	seen := &sightings{start: time.Now(), after: map[string]time.Duration{}}
	watching, err := r.cluster.CoreV1().Pods("api").Watch(b.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=payments-svc"})
	if err != nil {
		b.Error(err)
		return
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for event := range watching.ResultChan() {
			seen.pod(event)
		}
	})
	err = seen.run(b.Context(), r.checkout, koPath(b), onCluster("apply", "-k", "kustomize/overlays/dev", "--wait")...)
	watching.Stop()
	reading.Wait()
	if err != nil {
		b.Error(err)
		return
	}
	r.add(seen.after)
}

// add keeps the stages of a rollout in which every step was seen.
func (r *rollouts) add(after map[string]time.Duration) {
	var stages []time.Duration
	before := time.Duration(0)
	for _, step := range rolloutSteps {
		at, found := after[step.event]
		if !found {
			return // Nothing was rolled out, or the watch was too late for its end.
		}
		stages = append(stages, max(0, at-before))
		before = at
	}
	r.took = append(r.took, stages)
}

// stages returns the median of each stage.
func (r *rollouts) stages() []stage {
	if len(r.took) == 0 {
		return nil
	}
	var all []stage
	for i, step := range rolloutSteps {
		var times []time.Duration
		for _, rollout := range r.took {
			times = append(times, rollout[i])
		}
		all = append(all, stage{step.what, median(times)})
	}
	return all
}

// sightings has how long after the start of a rollout each step was seen first.
type sightings struct {
	start time.Time
	mutex sync.Mutex
	after map[string]time.Duration
}

func (s *sightings) see(event string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, before := s.after[event]; !before {
		s.after[event] = time.Since(s.start)
	}
}

// pod sees what a change of a pod ends. The new pod is created when the old one is gone.
func (s *sightings) pod(event watch.Event) {
	pod, ok := event.Object.(*corev1.Pod)
	if !ok {
		return
	}
	if event.Type == watch.Deleted {
		s.see("old pod deleted")
		return
	}
	if s.start.After(pod.CreationTimestamp.Add(time.Second)) { // It has whole seconds.
		return
	}
	for _, container := range pod.Status.ContainerStatuses {
		if container.State.Running != nil {
			s.see("new pod running")
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			s.see("new pod ready")
		}
	}
}

// run runs a command and sees the lines that it prints.
func (s *sightings) run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	lines, printed := io.Pipe()
	cmd.Stdout, cmd.Stderr = printed, printed
	var reading sync.WaitGroup
	reading.Go(func() {
		for scanner := bufio.NewScanner(lines); scanner.Scan(); {
			for _, step := range rolloutSteps {
				if strings.HasPrefix(scanner.Text(), step.event) {
					s.see(step.event)
				}
			}
		}
	})
	err := cmd.Run()
	_ = printed.Close() // It never fails.
	reading.Wait()
	return err
}
