package kube

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Object is an object of any kind.
type Object = *unstructured.Unstructured

// Kinds that more than one package treats in a way of their own.
var (
	NamespaceKind   = schema.GroupKind{Kind: "Namespace"}
	DefinitionKind  = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	StatefulSetKind = schema.GroupKind{Group: "apps", Kind: "StatefulSet"}
	JobKind         = schema.GroupKind{Group: "batch", Kind: "Job"}
)

// Decode reads a stream of YAML documents, each of them one object.
func Decode(stream []byte) ([]Object, error) {
	var objects []Object
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(o)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading manifest %d: %w", len(objects)+1, err)
		}
		if o.GetKind() == "" || o.GetName() == "" {
			return nil, fmt.Errorf("manifest %d (kind %q, name %q) is no Kubernetes object: it needs apiVersion, kind and metadata.name",
				len(objects)+1, o.GetKind(), o.GetName())
		}
		objects = append(objects, o)
	}
}

// Kind is the kind of an object, whatever its version.
func Kind(o client.Object) schema.GroupKind {
	kind := o.GetObjectKind().GroupVersionKind()
	if kind.Empty() {
		kind, _ = apiutil.GVKForObject(o, scheme.Scheme) // Typed objects do not carry it.
	}
	return kind.GroupKind()
}

// Name is what kubectl calls an object: deployment.apps/user-svc.
func Name(o client.Object) string {
	return strings.ToLower(Kind(o).String()) + "/" + o.GetName()
}

// NameIn is what kubectl calls an object, and where it is: deployment.apps/user-svc in
// namespace api.
func NameIn(o client.Object) string {
	if o.GetNamespace() == "" {
		return Name(o)
	}
	return Name(o) + " in namespace " + o.GetNamespace()
}

// Place is what people call an object, and its namespace: role/attendee in api.
func Place(o client.Object) string {
	name := strings.ToLower(Kind(o).Kind) + "/" + o.GetName()
	if o.GetNamespace() != "" {
		name += " in " + o.GetNamespace()
	}
	return name
}

// IsAbsent says whether an error means that an object, or its very kind, is not
// in the cluster.
func IsAbsent(err error) bool {
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err)
}

// Text returns the string at a path of an object, or "" where there is none.
func Text(o Object, path ...string) string {
	value, _, _ := unstructured.NestedString(o.Object, path...)
	return value
}

// HasEnded says whether a Job has ended, well or not.
func HasEnded(job Object) bool { return HasCondition(job, "Complete") || HasCondition(job, "Failed") }

// HasCondition says whether a condition of an object's status is true.
func HasCondition(o Object, kind string) bool { return Condition(o, kind)["status"] == "True" }

// Condition returns the fields of a condition of an object's status, or nil.
func Condition(o Object, kind string) map[string]any {
	for _, condition := range Maps(o, "status", "conditions") {
		if condition["type"] == kind {
			return condition
		}
	}
	return nil
}

// Maps returns the items of a list of an object that have fields of their own.
func Maps(o Object, path ...string) []map[string]any {
	var maps []map[string]any
	items, _, _ := unstructured.NestedSlice(o.Object, path...)
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok {
			maps = append(maps, fields)
		}
	}
	return maps
}
