package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/build"
	"go.yaml.in/yaml/v4"
)

// Reference is an import path that the manifests ask an image for.
type Reference struct {
	// ImportPath is what stands in the manifests, scheme included:
	// ko://github.com/org/repo/cmd/app.
	ImportPath string
	// Uses says where, in the order of the manifests; there is at least one.
	Uses []Use
}

// Use is one place in the manifests that names an import path.
type Use struct {
	Object string // kind, namespace and name: "Deployment api/user-svc"
	Field  string // path inside the object: "spec.template.spec.containers[0].image"
	node   *yaml.Node
}

// String reads "Deployment api/user-svc, spec.template.spec.containers[0].image".
func (u Use) String() string { return u.Object + ", " + u.Field }

// References lists the import paths in the manifests, sorted. What counts is
// what upstream's resolve.ImageReferences replaces: every string scalar that
// begins with ko://, in whatever kind of object and field.
func (m *Manifests) References() []Reference {
	uses := map[string][]Use{}
	for _, doc := range m.docs {
		object := objectName(doc)
		walk(doc, "", func(field string, node *yaml.Node) {
			path := strings.TrimSpace(node.Value)
			uses[path] = append(uses[path], Use{Object: object, Field: field, node: node})
		})
	}
	refs := make([]Reference, 0, len(uses))
	for path := range uses {
		refs = append(refs, Reference{ImportPath: path, Uses: uses[path]})
	}
	slices.SortFunc(refs, func(a, b Reference) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return refs
}

// Replace puts the published images, by import path, in the place of the
// references. It changes nothing when an image is missing.
func (m *Manifests) Replace(images map[string]name.Reference) error {
	refs := m.References()
	for _, ref := range refs {
		if images[ref.ImportPath] == nil {
			return fmt.Errorf("no image was published for %s (%s)", ref.ImportPath, ref.Uses[0])
		}
	}
	for _, ref := range refs {
		for _, use := range ref.Uses {
			use.node.Value = images[ref.ImportPath].String()
		}
	}
	return nil
}

// walk calls found for every reference below node, with its path.
func walk(node *yaml.Node, path string, found func(path string, node *yaml.Node)) {
	switch node.Kind {
	case yaml.DocumentNode:
		for _, child := range node.Content {
			walk(child, path, found)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i].Value
			if path != "" {
				key = path + "." + key
			}
			walk(node.Content[i], key, found)
			walk(node.Content[i+1], key, found)
		}
	case yaml.SequenceNode:
		for i, child := range node.Content {
			walk(child, fmt.Sprintf("%s[%d]", path, i), found)
		}
	case yaml.ScalarNode:
		if node.ShortTag() == "!!str" && strings.HasPrefix(node.Value, build.StrictScheme) {
			found(path, node)
		}
	}
}

// objectName names the object in doc for a person: kind, namespace and name.
func objectName(doc *yaml.Node) string {
	var meta struct {
		Kind     string
		Metadata struct{ Name, Namespace string }
	}
	if err := doc.Decode(&meta); err != nil || meta.Kind == "" {
		return fmt.Sprintf("the manifest at line %d", doc.Line)
	}
	if meta.Metadata.Namespace == "" {
		return meta.Kind + " " + meta.Metadata.Name
	}
	return meta.Kind + " " + meta.Metadata.Namespace + "/" + meta.Metadata.Name
}
