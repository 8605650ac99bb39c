package kustomize_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const supervisorImage = koScheme + "github.com/koshop/koshop/cmd/live-reload"

// TestLiveReloadKeepsTheRules holds what is only for development to the rules
// of what is deployed.
func TestLiveReloadKeepsTheRules(t *testing.T) {
	objects := decode(t, build(t, tree(t), "live-reload"))
	all := workloads(t, objects)
	if len(all) != len(services) {
		t.Fatalf("%d workloads, want %d", len(all), len(services))
	}
	for _, w := range all {
		for _, rule := range podRules {
			if err := rule.check(w); err != nil {
				t.Errorf("%s: a pod %s: %v", w.name, rule.name, err)
			}
		}
		for _, c := range w.containers() {
			for _, rule := range containerRules {
				if err := rule.check(c); err != nil {
					t.Errorf("%s: container %s: a container %s: %v", w.name, c.Name, rule.name, err)
				}
			}
		}
		main := w.pod.Spec.Containers[0]
		if len(main.Command) == 0 || main.Command[0] != "/live-reload/live-reload" || !mounts(main, "live-reload") || main.LivenessProbe != nil {
			t.Errorf("%s: it does not run under the supervisor", w.name)
		}
	}
}

func TestNoOverlayHasLiveReload(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, w := range workloads(t, objects) {
			if slices.ContainsFunc(w.containers(), func(c corev1.Container) bool { return c.Image == supervisorImage }) {
				t.Errorf("%s has the supervisor of live reload", w.name)
			}
		}
	})
}
