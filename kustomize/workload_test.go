package kustomize_test

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// workload is what the tests need to know of anything that makes pods.
type workload struct {
	name     string
	replicas *int32
	selector *metav1.LabelSelector
	pod      corev1.PodTemplateSpec
}

// containers returns the pod's containers, those that only start it included.
func (w workload) containers() []corev1.Container {
	return slices.Concat(w.pod.Spec.InitContainers, w.pod.Spec.Containers)
}

// workloads returns everything in objects that makes pods.
func workloads(t *testing.T, objects []object) []workload {
	t.Helper()
	var found []workload
	for _, obj := range objects {
		switch o := obj.(type) {
		case *appsv1.Deployment:
			found = append(found, workload{o.Name, o.Spec.Replicas, o.Spec.Selector, o.Spec.Template})
		case *appsv1.StatefulSet:
			found = append(found, workload{o.Name, o.Spec.Replicas, o.Spec.Selector, o.Spec.Template})
		case *appsv1.DaemonSet, *appsv1.ReplicaSet, *batchv1.Job, *batchv1.CronJob, *corev1.Pod:
			t.Fatalf("%s is a %T: these tests do not look at its pods yet", o.GetName(), o)
		}
	}
	return found
}

// selected returns the workloads whose pods a selector matches. An empty
// selector matches none: nothing here means to select everything.
func selected(all []workload, selector map[string]string) []workload {
	if len(selector) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(w workload) bool {
		return !labels.SelectorFromSet(selector).Matches(labels.Set(w.pod.Labels))
	})
}

// hasPort reports whether the workload has a container with a port of that name.
func (w workload) hasPort(name string) bool {
	return slices.ContainsFunc(w.pod.Spec.Containers, func(c corev1.Container) bool { return hasPort(c, name) })
}

// hasPort reports whether the container has a port of that name.
func hasPort(c corev1.Container, name string) bool {
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == name })
}
