package apply

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/koshop/koshop/internal/kube"
)

type object = *unstructured.Unstructured

// decode reads a stream of YAML documents, each of them one object.
func decode(manifests []byte) ([]object, error) {
	var objects []object
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(o)
		if errors.Is(err, io.EOF) {
			break
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
	if len(objects) == 0 {
		return nil, errors.New("no objects: the kustomization is empty, or the selector matches nothing in it")
	}
	return objects, nil
}

var errUnknownKind = errors.New("the cluster does not know kind")

// scopes says of a kind whether it is namespaced.
type scopes map[schema.GroupKind]bool

func (c *Cluster) placeAll(objects []object) error {
	scopes := definedScopes(objects)
	for _, o := range objects {
		if err := c.place(o, scopes); err != nil {
			return err
		}
	}
	return nil
}

// place gives a namespaced object without a namespace the one of the context,
// as kubectl does. Kinds that only the set itself defines have their scope from
// there.
func (c *Cluster) place(o object, scopes scopes) error {
	namespaced, err := c.isNamespaced(o, scopes)
	if err != nil {
		return err
	}
	switch {
	case !namespaced:
		o.SetNamespace("") // Kustomize's namespace directive may have set one.
	case o.GetNamespace() == "":
		o.SetNamespace(c.namespace)
		c.noteIt()
	}
	return nil
}

func (c *Cluster) isNamespaced(o object, scopes scopes) (bool, error) {
	gvk := o.GroupVersionKind()
	if namespaced, ok := scopes[gvk.GroupKind()]; ok {
		return namespaced, nil
	}
	mapping, err := c.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return false, fmt.Errorf("%s: %w %s of %s: install its CustomResourceDefinition, or correct apiVersion and kind",
			reference(o), errUnknownKind, gvk.Kind, gvk.GroupVersion())
	}
	if err != nil {
		return false, fmt.Errorf("asking for kind %s: %w", gvk.Kind, kube.Explain(c.host, err))
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, nil
}

// definedScopes says of each kind that a CustomResourceDefinition of the set
// defines whether it is namespaced.
func definedScopes(objects []object) scopes {
	scopes := scopes{}
	for _, o := range objects {
		if utils.IsCRD(o) {
			scopes[definedKind(o)] = nested(o, "spec", "scope") == "Namespaced"
		}
	}
	return scopes
}

func definedKind(crd object) schema.GroupKind {
	return schema.GroupKind{Group: nested(crd, "spec", "group"), Kind: nested(crd, "spec", "names", "kind")}
}

// nested returns the string at a path, or "" where there is none; the dry run
// of the object says what is wrong with it.
func nested(o object, path ...string) string {
	value, _, _ := unstructured.NestedString(o.Object, path...)
	return value
}

// reference names an object as kubectl prints it: deployment.apps/user-svc.
func reference(o object) string {
	return strings.ToLower(o.GroupVersionKind().GroupKind().String()) + "/" + o.GetName()
}
