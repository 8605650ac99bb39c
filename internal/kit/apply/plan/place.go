package plan

import (
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kube"
)

// errUnknownKind is what is wrong with an object of a kind that neither the
// cluster nor the set defines.
var errUnknownKind = errors.New("the cluster does not know kind")

// Places knows where objects go: which kinds are in a namespace, and in which one
// those are that name none.
type Places struct {
	cluster *kube.Cluster
	defined map[schema.GroupKind]bool // by the set itself, and whether in a namespace
	noteIt  func()                    // says which namespace is used, once
}

// NewPlaces reads which kinds the objects themselves define. note is told which
// namespace takes those that name none.
func NewPlaces(c *kube.Cluster, objects []kube.Object, note func(format string, args ...any)) *Places {
	p := &Places{cluster: c, defined: map[schema.GroupKind]bool{}}
	p.noteIt = sync.OnceFunc(func() {
		note("objects that name no namespace are in namespace %s, %s", c.Namespace, c.Reason)
	})
	for _, o := range objects {
		if kube.Kind(o) == kube.DefinitionKind {
			p.defined[definedKind(o)] = kube.Text(o, "spec", "scope") == "Namespaced"
		}
	}
	return p
}

// Place gives a namespaced object without a namespace the one of the context, as
// kubectl does. Kinds that only the set itself defines have their scope from there.
func (p *Places) Place(o kube.Object) error {
	namespaced, err := p.isNamespaced(o)
	if err != nil {
		return err
	}
	switch {
	case !namespaced:
		o.SetNamespace("") // Kustomize's namespace directive may have set one.
	case o.GetNamespace() == "":
		o.SetNamespace(p.cluster.Namespace)
		p.noteIt()
	}
	return nil
}

func (p *Places) placeAll(objects []kube.Object) error {
	for _, o := range objects {
		if err := p.Place(o); err != nil {
			return err
		}
	}
	return nil
}

func (p *Places) isNamespaced(o kube.Object) (bool, error) {
	gvk := o.GroupVersionKind()
	mapping, err := p.cluster.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		if namespaced, ok := p.defined[gvk.GroupKind()]; ok {
			return namespaced, nil
		}
		return false, fmt.Errorf("%s: %w %s of %s: install its CustomResourceDefinition, or correct apiVersion and kind",
			kube.Name(o), errUnknownKind, gvk.Kind, gvk.GroupVersion())
	}
	if err != nil {
		return false, fmt.Errorf("asking for kind %s: %w", gvk.Kind, kube.Explain(p.cluster.Host(), err))
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, nil
}

// IsUnknown says whether an error of Place means that the cluster can have no such
// object.
func IsUnknown(err error) bool { return errors.Is(err, errUnknownKind) }

func definedKind(definition kube.Object) schema.GroupKind {
	return schema.GroupKind{Group: kube.Text(definition, "spec", "group"), Kind: kube.Text(definition, "spec", "names", "kind")}
}
