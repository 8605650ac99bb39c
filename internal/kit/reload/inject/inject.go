// Package inject puts the supervisor of live reload into manifests: into every
// container whose image is a ko:// reference, whatever its user, arguments, probes,
// ports and file system. Nothing else of the manifests changes, and nobody's files do.
//
//	inject     goes through the manifests
//	container  puts the supervisor into a container
//	describe   says to the supervisor what the manifests say of its container
//
// The supervisor comes by an init container and a volume, so that the program's image
// is the one of production, and so that it needs nothing that the image has.
package inject

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/manifest"
	"github.com/koshop/koshop/internal/kit/workload"
	"github.com/koshop/koshop/internal/kube"
)

// Injector puts the supervisor into manifests.
type Injector struct {
	Image string            // of the supervisor
	Note  func(text string) // is called with what is left alone, and why
}

// templates says where the kinds whose pods run on describe them. A Job runs to its
// end, so that there is nothing to reload; Knative's Services take no init container.
var templates = map[schema.GroupKind][]string{
	{Kind: "Pod"}:                        {},
	{Group: "apps", Kind: "Deployment"}:  {"spec", "template"},
	{Group: "apps", Kind: "StatefulSet"}: {"spec", "template"},
	{Group: "apps", Kind: "DaemonSet"}:   {"spec", "template"},
	{Group: "apps", Kind: "ReplicaSet"}:  {"spec", "template"},
}

// Template returns where an object describes its pods: nothing for a Pod itself.
func Template(o kube.Object) []string { return slices.Clone(templates[kube.Kind(o)]) }

// Manifests returns a stream of YAML documents, in which ko:// references still stand,
// with the supervisor in it.
func (in *Injector) Manifests(stream []byte) ([]byte, error) {
	objects, err := kube.Decode(stream)
	if err != nil {
		return nil, err
	}
	running, err := allRunning(objects)
	if err != nil {
		return nil, err
	}
	all, err := workload.Read(running, nil)
	if err != nil {
		return nil, fmt.Errorf("looking where the programs listen: %w", err)
	}
	var out bytes.Buffer
	for _, o := range objects {
		if err := in.object(o, all); err != nil {
			return nil, fmt.Errorf("putting the supervisor of live reload into %s: %w", kube.Name(o), err)
		}
		if err := write(&out, o); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// allRunning returns objects as a stream in which those with no replicas have one: they
// may get some later.
func allRunning(objects []kube.Object) ([]byte, error) {
	var out bytes.Buffer
	for _, o := range objects {
		o := o.DeepCopy()
		if n, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); found && n == 0 {
			unstructured.RemoveNestedField(o.Object, "spec", "replicas")
		}
		if err := write(&out, o); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// write adds an object to a stream.
func write(out *bytes.Buffer, o kube.Object) error {
	text, err := yaml.Marshal(o.Object)
	if err != nil {
		return fmt.Errorf("writing %s: %w", kube.Name(o), err)
	}
	if out.Len() > 0 {
		out.WriteString("---\n")
	}
	out.Write(text)
	return nil
}

func (in *Injector) object(o kube.Object, all *workload.Plan) error {
	template, runsOn := templates[kube.Kind(o)]
	if !runsOn {
		return nil
	}
	at := append(template[:len(template):len(template)], "spec")
	spec, found, err := unstructured.NestedMap(o.Object, at...)
	if err != nil || !found {
		return nil // The API server says what is wrong.
	}
	pod := &pod{kind: o.GetKind(), name: o.GetName(), spec: spec, workload: find(all, o)}
	done, err := in.containers(o, pod)
	if err != nil || !done {
		return err
	}
	if err := pod.carry(in.Image); err != nil {
		return err
	}
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[plan.LiveAnnotation] = "true"
	o.SetAnnotations(annotations)
	return unstructured.SetNestedMap(o.Object, spec, at...)
}

// containers puts the supervisor into those of a pod, and says whether there are any.
func (in *Injector) containers(o kube.Object, pod *pod) (done bool, err error) {
	for container := range pod.runsOn() {
		if !isBuilt(container) {
			continue
		}
		if why := cannotSupervise(container); why != "" {
			in.Note(fmt.Sprintf("%s, container %v is not reloaded: %s", kube.Name(o), container["name"], why))
			continue
		}
		if err := pod.supervise(container); err != nil {
			return false, fmt.Errorf("container %v: %w", container["name"], err)
		}
		done = true
	}
	return done, nil
}

// find returns an object of a plan, nil if it is not one that the plan has.
func find(plan *workload.Plan, o kube.Object) *workload.Workload {
	for _, w := range plan.Workloads {
		if w.Kind == o.GetKind() && w.Namespace == cmp.Or(o.GetNamespace(), manifest.DefaultNamespace) && w.Name == o.GetName() {
			return w
		}
	}
	return nil
}

func list(fields map[string]any, name string) []any {
	items, _ := fields[name].([]any)
	return items
}
