package kustomize_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/intstr"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// podRules hold for every pod of every overlay.
var podRules = []struct {
	name  string
	check func(workload) error
}{
	{"fits Pod Security level restricted", restricted},
	{"is given no token that it does not ask for", noTokenByDefault},
	{"mounts a token in no container that keeps running", tokenInInitContainersOnly},
	{"takes no variable from the Services around it", noServiceLinks},
	{"has time to finish what it is doing", hasGracePeriod},
}

// containerRules hold for every container, init containers included.
var containerRules = []struct {
	name  string
	check func(corev1.Container) error
}{
	{"has requests and limits", hasResources},
	{"cannot write to its image", readOnlyRoot},
	{"has an image that does not move", pinnedImage},
	{"names its ports", namedPorts},
	{"leaves some of its memory to what is not Go's", hasMemoryLimit},
}

func TestPods(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, w := range workloads(t, objects) {
			for _, rule := range podRules {
				if err := rule.check(w); err != nil {
					t.Errorf("%s: a pod %s: %v", w.name, rule.name, err)
				}
			}
		}
	})
}

func TestContainers(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, w := range workloads(t, objects) {
			for _, c := range w.containers() {
				for _, rule := range containerRules {
					if err := rule.check(c); err != nil {
						t.Errorf("%s: container %s: a container %s: %v", w.name, c.Name, rule.name, err)
					}
				}
			}
		}
	})
}

func TestContainersThatKeepRunningAreProbed(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, w := range workloads(t, objects) {
			for _, c := range w.pod.Spec.Containers {
				if err := probed(c); err != nil {
					t.Errorf("%s: container %s: %v", w.name, c.Name, err)
				}
			}
		}
	})
}

// restricted asks the evaluator of the API server's own admission plugin.
func restricted(w workload) error {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &w.pod.ObjectMeta, &w.pod.Spec))
	if !result.Allowed {
		return errors.New(result.ForbiddenDetail())
	}
	return nil
}

func noTokenByDefault(w workload) error {
	if mount := w.pod.Spec.AutomountServiceAccountToken; mount == nil || *mount {
		return errors.New("automountServiceAccountToken is not false")
	}
	return nil
}

func tokenInInitContainersOnly(w workload) error {
	for _, volume := range w.pod.Spec.Volumes {
		if !holdsToken(volume) {
			continue
		}
		for _, c := range w.pod.Spec.Containers {
			if mounts(c, volume.Name) {
				return fmt.Errorf("container %s mounts volume %s", c.Name, volume.Name)
			}
		}
	}
	return nil
}

func holdsToken(v corev1.Volume) bool {
	return v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool {
		return s.ServiceAccountToken != nil
	})
}

func mounts(c corev1.Container, volume string) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume })
}

func noServiceLinks(w workload) error {
	if links := w.pod.Spec.EnableServiceLinks; links == nil || *links {
		return errors.New("enableServiceLinks is not false")
	}
	return nil
}

func hasGracePeriod(w workload) error {
	if seconds := w.pod.Spec.TerminationGracePeriodSeconds; seconds == nil || *seconds < 30 {
		return errors.New("terminationGracePeriodSeconds is not set, or below 30")
	}
	return nil
}

func hasResources(c corev1.Container) error {
	for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		request, requested := c.Resources.Requests[resource]
		limit, limited := c.Resources.Limits[resource]
		switch {
		case !requested:
			return fmt.Errorf("no request for %s", resource)
		case !limited:
			return fmt.Errorf("no limit for %s", resource)
		case request.Cmp(limit) > 0:
			return fmt.Errorf("it requests %s of %s, and its limit is %s", &request, resource, &limit)
		}
	}
	return nil
}

func readOnlyRoot(c corev1.Container) error {
	if c.SecurityContext == nil || c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
		return errors.New("readOnlyRootFilesystem is not true")
	}
	return nil
}

// pinnedImage accepts what ko replaces by a digest, and explicit versions.
func pinnedImage(c corev1.Container) error {
	if strings.HasPrefix(c.Image, koScheme) {
		return nil
	}
	_, version, found := strings.Cut(c.Image[strings.LastIndex(c.Image, "/")+1:], ":")
	if !found || version == "latest" {
		return fmt.Errorf("%s has no version", c.Image)
	}
	return nil
}

func namedPorts(c corev1.Container) error {
	for _, port := range c.Ports {
		if port.Name == "" {
			return fmt.Errorf("port %d has no name", port.ContainerPort)
		}
	}
	return nil
}

// probed demands that the kubelet and the Services ask different questions: to
// be unready must not mean to be killed.
func probed(c corev1.Container) error {
	if c.ReadinessProbe == nil || c.LivenessProbe == nil {
		return errors.New("it has no readinessProbe or no livenessProbe")
	}
	if equality.Semantic.DeepEqual(c.ReadinessProbe.ProbeHandler, c.LivenessProbe.ProbeHandler) {
		return errors.New("its readinessProbe and its livenessProbe ask the same")
	}
	for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if port, ok := probePort(probe); ok && !hasPort(c, port.StrVal) {
			return fmt.Errorf("a probe asks port %q, which is not a port's name", port.String())
		}
	}
	return nil
}

// probePort returns the port that a probe connects to; none, and one that runs
// a command, have no port.
func probePort(p *corev1.Probe) (intstr.IntOrString, bool) {
	switch {
	case p == nil:
		return intstr.IntOrString{}, false
	case p.HTTPGet != nil:
		return p.HTTPGet.Port, true
	case p.TCPSocket != nil:
		return p.TCPSocket.Port, true
	default:
		return intstr.IntOrString{}, false
	}
}
