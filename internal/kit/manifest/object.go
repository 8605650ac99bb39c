// Package manifest reads the objects of rendered manifests.
package manifest

import (
	"bufio"
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// Object is one object of the manifests, not yet decoded.
type Object struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Items []stdjson.RawMessage `json:"items"` // of a List

	raw []byte // JSON
}

// DefaultNamespace is the namespace of objects that name none.
const DefaultNamespace = metav1.NamespaceDefault

// Key is the namespace and name of an object.
type Key struct{ Namespace, Name string }

func newObject(raw []byte) (Object, error) {
	o := Object{raw: raw}
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &o); err != nil {
		return o, err
	}
	if o.Kind == "" || o.Metadata.Name == "" && !o.isList() {
		return o, fmt.Errorf("kind %q, name %q is no Kubernetes object: it needs apiVersion, kind and metadata.name", o.Kind, o.Metadata.Name)
	}
	if o.Metadata.Namespace == "" {
		o.Metadata.Namespace = DefaultNamespace
	}
	return o, nil
}

func (o Object) isList() bool { return o.APIVersion == "v1" && strings.HasSuffix(o.Kind, "List") }

// GroupKind returns the kind of the object and its API group.
func (o Object) GroupKind() schema.GroupKind { return o.GroupVersionKind().GroupKind() }

// Key returns the namespace and name of the object.
func (o Object) Key() Key { return Key{o.Metadata.Namespace, o.Metadata.Name} }

// String names the object as kubectl prints it: deployment.apps/user-svc.
func (o Object) String() string { return Reference(o.GroupKind(), o.Metadata.Name) }

// Reference names an object as kubectl prints it.
func Reference(kind schema.GroupKind, name string) string {
	return strings.ToLower(kind.String()) + "/" + name
}

// Each calls do for every object of a stream of YAML documents, and for
// the items of a List instead of the List.
func Each(manifests []byte, do func(Object) error) error {
	stream := yamlstream.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	for number := 1; ; number++ {
		document, err := stream.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading manifest %d: %w", number, err)
		}
		raw, err := yaml.YAMLToJSON(document)
		if err != nil {
			return fmt.Errorf("reading manifest %d: %w", number, err)
		}
		if bytes.Equal(raw, []byte("null")) {
			continue // nothing but comments
		}
		if err := expandList(raw, do); err != nil {
			return fmt.Errorf("manifest %d: %w", number, err)
		}
	}
}

func expandList(raw []byte, do func(Object) error) error {
	o, err := newObject(raw)
	if err != nil {
		return err
	}
	if !o.isList() {
		return do(o)
	}
	for _, item := range o.Items {
		if err := expandList(item, do); err != nil {
			return err
		}
	}
	return nil
}

// Decode reads an object as a T. The fields that a T does not have are
// returned as a complaint each; a cluster that is not asked to be strict drops
// them.
func Decode[T any](o Object) (decoded *T, unknown []error, err error) {
	decoded = new(T)
	unknown, err = json.UnmarshalStrict(o.raw, decoded)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o, err)
	}
	return decoded, unknown, nil
}
