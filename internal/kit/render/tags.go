package render

import (
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// taggedReference matches a string that is a whole ko:// reference with a tag, a
// digest or both, as kustomize's images: writes it when it gives an image such as
// app:1.0 the name ko://example.com/cmd/app. No import path has a colon or an @
// in it, so ko://localhost:5000/app is something else and stays as it is. Space
// behind a reference does not count, as for upstream.
var taggedReference = regexp.MustCompile(`^(ko://[^\s:@]+)(?::([^\s:@/]+))?(?:@([a-z0-9+._-]+:[0-9a-fA-F]+))?(\s*)$`)

// dropTags removes tags and digests from the ko:// references of the objects,
// wherever upstream would resolve them, and changes nothing else. It passes each
// different removal to note once.
func dropTags(objects resmap.ResMap, note func(string)) {
	said := map[string]bool{}
	for _, object := range objects.Resources() {
		name := object.GetName()
		if namespace := object.GetNamespace(); namespace != "" {
			name = namespace + "/" + name
		}
		walkStrings(object.YNode(), "", func(field string, node *yaml.Node) {
			path, what := splitReference(node.Value)
			if what == "" {
				return
			}
			text := fmt.Sprintf("%s %s: %s %s: %s dropped: ko names the image by what it builds", object.GetKind(), name, field, strings.TrimSpace(node.Value), what)
			node.Value = path
			if note != nil && !said[text] {
				said[text] = true
				note(text)
			}
		})
	}
}

// splitReference returns a ko:// reference without its tag and digest, and says
// what is left out: "the tag 1.0 is". That is "" for any other string.
func splitReference(text string) (path, leftOut string) {
	parts := taggedReference.FindStringSubmatch(text)
	if parts == nil {
		return text, ""
	}
	path, tag, digest := parts[1]+parts[4], parts[2], parts[3]
	switch {
	case tag != "" && digest != "":
		return path, "the tag " + tag + " and the digest " + digest + " are"
	case tag != "":
		return path, "the tag " + tag + " is"
	case digest != "":
		return path, "the digest " + digest + " is"
	}
	return text, ""
}

// walkStrings calls found for every scalar value below node, with the name of
// the field that it, or the list around it, stands in.
func walkStrings(node *yaml.Node, field string, found func(field string, node *yaml.Node)) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			walkStrings(node.Content[i+1], node.Content[i].Value, found)
		}
	case yaml.DocumentNode, yaml.SequenceNode:
		for _, child := range node.Content {
			walkStrings(child, field, found)
		}
	case yaml.ScalarNode:
		found(field, node)
	}
}
