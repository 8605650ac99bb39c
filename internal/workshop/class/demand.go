package class

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/koshop/koshop/internal/kit/reload/inject"
	"github.com/koshop/koshop/internal/kit/render"
)

// Taught are the overlays that an attendee works with, one after the other, by
// their directories in the repository.
var Taught = []string{"kustomize/overlays/dev", "kustomize/overlays/workshop"}

// Demand is what pods and volumes ask of a cluster, by the names that a
// ResourceQuota has for it.
type Demand = corev1.ResourceList

// counted are the parts of a demand.
var counted = []corev1.ResourceName{
	corev1.ResourcePods, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceLimitsMemory,
	corev1.ResourcePersistentVolumeClaims, corev1.ResourceRequestsStorage,
}

// agent is what a container gets that does not say what it takes, above all
// Telepresence's traffic agent.
var agent = struct{ CPU, Memory, MemoryLimit string }{CPU: "10m", Memory: "32Mi", MemoryLimit: "128Mi"}

// Overlay is what one copy of an overlay asks of a cluster, with a traffic agent
// in every pod.
type Overlay struct {
	Running Demand // when all is rolled out
	Rolling Demand // while all is replaced at once
	claims  map[string]resource.Quantity
	labels  map[string]string // of its Namespace
}

// ReadOverlay renders the kustomization in a directory and adds up what is in it, under
// live reload or not.
func ReadOverlay(dir string) (Overlay, error) {
	manifests, err := render.Kustomization(dir, render.Options{})
	if err != nil {
		return Overlay{}, err
	}
	overlay, err := countManifests(manifests)
	if err == nil {
		err = overlay.countLive(manifests)
	}
	if err != nil {
		return Overlay{}, fmt.Errorf("adding up %s: %w", dir, err)
	}
	return overlay, nil
}

// countLive adds what the manifests ask for besides under live reload.
func (o *Overlay) countLive(manifests []byte) error {
	injector := &inject.Injector{Note: func(string) {}}
	live, err := injector.Manifests(manifests)
	if err != nil {
		return err
	}
	overlay, err := countManifests(live)
	if err != nil {
		return err
	}
	atLeast(o.Running, overlay.Running)
	atLeast(o.Rolling, overlay.Rolling)
	return nil
}

// atLeast raises a demand to another one.
func atLeast(demand, other Demand) {
	for name, quantity := range other {
		if quantity.Cmp(demand[name]) > 0 {
			demand[name] = quantity
		}
	}
}

// Quota is what an attendee needs who works with these overlays, one after the
// other in the same namespace. Volumes stay when an overlay makes room for another.
func Quota(overlays []Overlay) Demand {
	quota := Demand{}
	claims := map[string]resource.Quantity{}
	for _, overlay := range overlays {
		atLeast(quota, overlay.Rolling)
		for name, size := range overlay.claims {
			if size.Cmp(claims[name]) > 0 {
				claims[name] = size
			}
		}
	}
	setClaims(quota, claims)
	return quota
}

// namespaceLabels are those that the overlays give their Namespace. An attendee may
// not change it, so it must have them before.
func namespaceLabels(overlays []Overlay) map[string]string {
	labels := map[string]string{}
	for _, overlay := range overlays {
		maps.Copy(labels, overlay.labels)
	}
	return labels
}

// times returns what n copies ask for.
func times(demand Demand, n int) Demand {
	product := Demand{}
	for i := 0; i < n; i++ {
		add(product, demand)
	}
	return product
}

func countManifests(manifests []byte) (Overlay, error) {
	overlay := Overlay{Running: Demand{}, Rolling: Demand{}, claims: map[string]resource.Quantity{}}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	for {
		var raw runtime.RawExtension
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Overlay{}, err
		}
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(raw.Raw, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			continue // A kind of somebody's own; what it asks for is not known here.
		}
		if err != nil {
			return Overlay{}, err
		}
		if err := overlay.count(object); err != nil {
			return Overlay{}, err
		}
	}
	setClaims(overlay.Running, overlay.claims)
	setClaims(overlay.Rolling, overlay.claims)
	return overlay, nil
}

// count adds one object. Where a rolling update replaces every pod, each old one
// counts until it has drained.
func (o *Overlay) count(object runtime.Object) error {
	switch object := object.(type) {
	case *appsv1.Deployment:
		turnover := 2
		if object.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
			turnover = 1
		}
		o.countPods(object.Spec.Template, replicas(object.Spec.Replicas), turnover)
	case *appsv1.StatefulSet:
		n := replicas(object.Spec.Replicas)
		o.countPods(object.Spec.Template, n, 1)
		for _, claim := range object.Spec.VolumeClaimTemplates {
			for i := 0; i < n; i++ {
				o.claims[fmt.Sprintf("%s-%s-%d", claim.Name, object.Name, i)] = claim.Spec.Resources.Requests[corev1.ResourceStorage]
			}
		}
	case *corev1.Namespace:
		o.labels = object.Labels
	case *corev1.PersistentVolumeClaim:
		o.claims[object.Name] = object.Spec.Resources.Requests[corev1.ResourceStorage]
	case *appsv1.DaemonSet, *appsv1.ReplicaSet, *batchv1.Job, *batchv1.CronJob, *corev1.Pod:
		return fmt.Errorf("it has a %s, whose pods cannot be added up: only those of Deployments and StatefulSets can", object.GetObjectKind().GroupVersionKind().Kind)
	}
	return nil
}

func (o *Overlay) countPods(template corev1.PodTemplateSpec, replicas, turnover int) {
	pod := template.Spec.DeepCopy()
	pod.Containers = append(pod.Containers, corev1.Container{Name: "traffic-agent", Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(agent.CPU), corev1.ResourceMemory: resource.MustParse(agent.Memory)},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(agent.MemoryLimit)},
	}})
	requests := resourcehelper.PodRequests(&corev1.Pod{Spec: *pod}, resourcehelper.PodResourcesOptions{})
	limits := resourcehelper.PodLimits(&corev1.Pod{Spec: *pod}, resourcehelper.PodResourcesOptions{})
	one := Demand{
		corev1.ResourcePods:           *resource.NewQuantity(1, resource.DecimalSI),
		corev1.ResourceRequestsCPU:    requests[corev1.ResourceCPU],
		corev1.ResourceRequestsMemory: requests[corev1.ResourceMemory],
		corev1.ResourceLimitsMemory:   limits[corev1.ResourceMemory],
	}
	add(o.Running, times(one, replicas))
	add(o.Rolling, times(one, replicas*turnover))
}

func setClaims(demand Demand, claims map[string]resource.Quantity) {
	total := resource.Quantity{Format: resource.BinarySI}
	for _, size := range claims {
		total.Add(size)
	}
	demand[corev1.ResourcePersistentVolumeClaims] = *resource.NewQuantity(int64(len(claims)), resource.DecimalSI)
	demand[corev1.ResourceRequestsStorage] = total
}

func add(to, demand Demand) {
	for _, name := range counted {
		sum := to[name]
		sum.Add(demand[name])
		to[name] = sum
	}
}

func replicas(n *int32) int {
	if n == nil {
		return 1
	}
	return int(*n)
}
