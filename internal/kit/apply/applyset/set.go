package applyset

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// Labels and annotations of the convention.
const (
	IDLabel              = "applyset.kubernetes.io/id"
	PartOfLabel          = "applyset.kubernetes.io/part-of"
	ToolingAnnotation    = "applyset.kubernetes.io/tooling"
	KindsAnnotation      = "applyset.kubernetes.io/contains-group-kinds"
	NamespacesAnnotation = "applyset.kubernetes.io/additional-namespaces"
)

const (
	// Tool is the name by which a parent says that its set is ours.
	Tool = plan.FieldManager
	// FieldManager owns what is written to parents, and the label of members that were
	// adopted. It is named as kubectl names its own, kubectl-applyset.
	FieldManager = Tool + "-applyset"
)

// ParentKind is the kind of our parents. The convention also allows Secrets, which are
// kubectl's default, and custom resources whose definition has the label
// applyset.kubernetes.io/is-parent-type. A parent holds nothing secret, and more people
// may read ConfigMaps.
var ParentKind = schema.GroupKind{Kind: "ConfigMap"}

// ID returns the id of the set that an object is the parent of:
// applyset-base64(sha256(NAME.NAMESPACE.KIND.GROUP))-v1, in the URL-safe alphabet of
// RFC 4648 without padding. The namespace is "" where the parent is in none.
func ID(kind schema.GroupKind, namespace, name string) string {
	hash := sha256.Sum256([]byte(strings.Join([]string{name, namespace, kind.Kind, kind.Group}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(hash[:]) + "-v1"
}

// Set is which set it is.
type Set struct {
	Namespace string // of its parent
	Name      string // of its parent
	Version   string // of this program, such as v0.19.1
	// OnlyHere says that the user has chosen the namespace of all objects: a parent in a
	// namespace without any of them is that of another set.
	OnlyHere bool
}

// ID is the value of the labels of the parent and of the members.
func (s Set) ID() string { return ID(ParentKind, s.Namespace, s.Name) }

// tooling is who manages the set, as TOOL/VERSION. The name ends at the last slash, so
// that the version can have none.
func (s Set) tooling() string {
	return Tool + "/" + strings.ReplaceAll(cmp.Or(s.Version, "v0.0.0"), "/", "-")
}

// Object returns the parent of a set with these contents, as it is to be in the
// cluster. It can be applied on the server side.
func (s Set) Object(contents Contents) kube.Object {
	o := s.key()
	o.SetLabels(map[string]string{IDLabel: s.ID()})
	o.SetAnnotations(map[string]string{
		ToolingAnnotation:    s.tooling(),
		KindsAnnotation:      contents.kinds(),
		NamespacesAnnotation: contents.namespacesBut(s.Namespace),
	})
	return o
}

// key is the parent by its name alone.
func (s Set) key() kube.Object {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(ParentKind.WithVersion("v1"))
	o.SetNamespace(s.Namespace)
	o.SetName(s.Name)
	return o
}

// isParent says whether an object is the parent of this set.
func (s Set) isParent(o kube.Object) bool {
	return kube.Kind(o) == ParentKind && o.GetNamespace() == s.Namespace && o.GetName() == s.Name
}

// Label makes objects members of the set, before they are applied. It changes none and
// returns an error if one is part of another set or has the name of the parent. To apply
// a member later without the label takes it out of the set, by the rules of server-side
// apply.
func (s Set) Label(objects []kube.Object) error {
	refused := []error{s.Check(objects)}
	for _, o := range objects {
		if s.isParent(o) {
			refused = append(refused, fmt.Errorf("%s has the name of the object that keeps the record of this set: rename one of them", kube.NameIn(o)))
		}
	}
	if err := errors.Join(refused...); err != nil {
		return err
	}
	for _, o := range objects {
		labels := o.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[PartOfLabel] = s.ID()
		o.SetLabels(labels)
	}
	return nil
}

// Check returns an error that names every object that is part of another set: an
// object is in one set only. It is for manifests and, before they are applied, for what
// the cluster has of them: to apply an object would take it away from the other set.
// Nil among the objects is one that is not there.
func (s Set) Check(objects []kube.Object) error {
	var refused []error
	for _, o := range objects {
		if o == nil {
			continue
		}
		if id, labelled := o.GetLabels()[PartOfLabel]; labelled && id != s.ID() {
			refused = append(refused, fmt.Errorf("%s is part of another set: its label %s is %q, and members of this set, whose record is %s, have %q; "+
				"remove the label, or leave the object to the other set", kube.NameIn(o), PartOfLabel, id, kube.NameIn(s.key()), s.ID()))
		}
	}
	return errors.Join(refused...)
}
