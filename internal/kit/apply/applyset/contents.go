package applyset

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/koshop/koshop/internal/kube"
)

// Contents say where the members of a set are.
type Contents struct {
	Kinds      sets.Set[schema.GroupKind]
	Namespaces sets.Set[string] // for the kinds that are in one
}

// Of returns the contents of a set with these members. Each has to have its namespace
// already, or none if its kind has none.
func Of(objects []kube.Object) Contents {
	c := Contents{sets.New[schema.GroupKind](), sets.New[string]()}
	for _, o := range objects {
		c.Kinds.Insert(kube.Kind(o))
		if o.GetNamespace() != "" {
			c.Namespaces.Insert(o.GetNamespace())
		}
	}
	return c
}

// Union returns the contents of both.
func (c Contents) Union(other Contents) Contents {
	return Contents{c.Kinds.Union(other.Kinds), c.Namespaces.Union(other.Namespaces)}
}

// kinds is the value of the annotation: KIND.GROUP, sorted, with commas and no spaces.
func (c Contents) kinds() string {
	var all []string
	for kind := range c.Kinds {
		all = append(all, kind.String())
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// namespacesBut is the value of the annotation, without the parent's own namespace.
func (c Contents) namespacesBut(own string) string {
	return strings.Join(sets.List(c.Namespaces.Clone().Delete(own)), ",")
}

// kindName is what the API server takes for the kind of a custom resource, and more
// than that for capitals.
var kindName = regexp.MustCompile(`^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?$`)

// parse reads the annotations of a parent. As kubectl, it demands that of the kinds:
// without it, every kind of the cluster would have to be searched. kubectl also reads
// contains-group-resources, which its own first versions wrote; ours never did.
func parse(annotations map[string]string) (Contents, error) {
	found := Contents{sets.New[schema.GroupKind](), sets.New[string]()}
	kinds, there := annotations[KindsAnnotation]
	if !there {
		return found, fmt.Errorf("it lacks the annotation %s", KindsAnnotation)
	}
	for _, text := range split(kinds) {
		kind := schema.ParseGroupKind(text)
		if !kindName.MatchString(kind.Kind) || strings.Contains(text, ".") && len(validation.IsDNS1123Subdomain(kind.Group)) > 0 {
			return found, fmt.Errorf("its annotation %s has %q, which is no kind: expected KIND or KIND.GROUP, with commas between them and no spaces", KindsAnnotation, text)
		}
		found.Kinds.Insert(kind)
	}
	for _, namespace := range split(annotations[NamespacesAnnotation]) {
		if len(validation.IsDNS1123Label(namespace)) > 0 {
			return found, fmt.Errorf("its annotation %s has %q, which is no namespace: expected names with commas between them and no spaces", NamespacesAnnotation, namespace)
		}
		found.Namespaces.Insert(namespace)
	}
	return found, nil
}

// split reads a list, which is empty where its text is.
func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
