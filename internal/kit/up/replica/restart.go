package replica

import (
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// again starts an instance in the place of one that has ended, when that is due.
func (s *Slot) again(ended *instance) {
	if s.isJob {
		s.jobEnded(ended)
		return
	}
	if isSetupError(ended.err) {
		s.row.CannotStart(ended.err)
		return
	}
	if final(s.version.Workload.Template.Spec.RestartPolicy, ended.err) {
		s.done = true
		s.finished(ended)
		return
	}
	s.restart(ended)
}

func (s *Slot) restart(ended *instance) {
	wait := s.backoff.ended(time.Since(ended.began))
	if s.backoff.ends == 1 { // A new series begins.
		s.hinted = false
	}
	s.row.Restarting(ended.err, wait)
	s.hint()
	s.retry = time.After(wait)
}

// hint says once in a series of restarts which Services the workload refers to
// that are not run here: it may end for want of them.
func (s *Slot) hint() {
	if s.hinted {
		return
	}
	s.hinted = true
	v := s.version
	for _, service := range v.Plan.NotRun(v.Workload) {
		if v.Services[service.Name] == "" && v.Services[service.Name+"."+service.Namespace] == "" {
			s.row.Lacks(service.Name)
		}
	}
}

// finished shows that an instance has ended that is not started again.
func (s *Slot) finished(ended *instance) {
	if errors.Is(ended.err, errCompleted) {
		s.row.Completes()
		return
	}
	s.row.Failed(ended.err)
}

// final tells whether a pod that ended so stays ended.
func final(policy corev1.RestartPolicy, err error) bool {
	return policy == corev1.RestartPolicyNever || policy == corev1.RestartPolicyOnFailure && errors.Is(err, errCompleted)
}

func (s *Slot) jobEnded(ended *instance) {
	defer s.pass()
	if !errors.Is(ended.err, errCompleted) {
		if s.tally.failed++; s.tally.failed > s.version.Workload.BackoffLimit {
			s.finished(ended)
			s.hint()
			return
		}
		s.restart(ended)
		return
	}
	if s.tally.succeeded++; s.tally.succeeded < s.version.Workload.Completions {
		s.retry = time.After(0)
		return
	}
	s.done = true
	s.finished(ended)
}

// Kubernetes' back-off for containers that end: the first restart comes at
// once, the next after ten seconds, each later one after twice as long, up to
// five minutes; ten minutes of running forgive it all
// (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy).
const (
	firstBackoff = 10 * time.Second
	maxBackoff   = 5 * time.Minute
	forgiveAfter = 10 * time.Minute
)

// backoff counts the restarts of one replica.
type backoff struct {
	ends int // in a row
}

// ended returns how long to wait before the next start, after a run of this length.
func (b *backoff) ended(ran time.Duration) time.Duration {
	if ran >= forgiveAfter {
		b.ends = 0
	}
	b.ends++
	if b.ends == 1 {
		return 0
	}
	return min(firstBackoff<<min(b.ends-2, 10), maxBackoff)
}

func (b *backoff) reset() { b.ends = 0 }
