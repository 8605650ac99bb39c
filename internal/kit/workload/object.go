package workload

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

// object is one object of the manifests, as yet undecoded.
type object struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Items []stdjson.RawMessage `json:"items"` // of a List

	raw []byte // JSON
}

// defaultNamespace is where objects are that name none.
const defaultNamespace = metav1.NamespaceDefault

// key is the namespace and name of an object.
type key struct{ namespace, name string }

func newObject(raw []byte) (object, error) {
	o := object{raw: raw}
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &o); err != nil {
		return o, err
	}
	if o.Kind == "" || o.Metadata.Name == "" && !o.isList() {
		return o, fmt.Errorf("kind %q, name %q is no Kubernetes object: it needs apiVersion, kind and metadata.name", o.Kind, o.Metadata.Name)
	}
	if o.Metadata.Namespace == "" {
		o.Metadata.Namespace = defaultNamespace
	}
	return o, nil
}

func (o object) isList() bool { return o.APIVersion == "v1" && strings.HasSuffix(o.Kind, "List") }

func (o object) groupKind() schema.GroupKind { return o.GroupVersionKind().GroupKind() }

func (o object) key() key { return key{o.Metadata.Namespace, o.Metadata.Name} }

// String names the object as kubectl prints it: deployment.apps/user-svc.
func (o object) String() string { return reference(o.groupKind(), o.Metadata.Name) }

func reference(kind schema.GroupKind, name string) string {
	return strings.ToLower(kind.String()) + "/" + name
}

// eachObject calls do for every object of a stream of YAML documents, and for
// the items of a List instead of the List.
func eachObject(manifests []byte, do func(object) error) error {
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

func expandList(raw []byte, do func(object) error) error {
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

// decode reads an object as a T. The fields that a T does not have are
// returned as a complaint each; a cluster that is not asked to be strict drops
// them.
func decode[T any](o object) (decoded *T, unknown []error, err error) {
	decoded = new(T)
	unknown, err = json.UnmarshalStrict(o.raw, decoded)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o, err)
	}
	return decoded, unknown, nil
}
