package applyset

import (
	"encoding/base64"
	"regexp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/kustomize/api/hasher"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/koshop/koshop/internal/kube"
)

// generatedKinds are the kinds that kustomize generates.
var generatedKinds = []schema.GroupKind{{Kind: "ConfigMap"}, {Kind: "Secret"}}

// withHash is a name that kustomize has put a hash behind: ten hexadecimal digits, in
// which 0, 1, 3, a and e are the letters g, h, k, m and t.
var withHash = regexp.MustCompile(`^(.+)-([2456789bcdfghkmt]{10})$`)

// splitHash splits the name of a generated object into the generator's name, with
// prefixes and suffixes, and the hash. Both are "" if the name does not end in a hash.
func splitHash(name string) (generator, hash string) {
	if parts := withHash.FindStringSubmatch(name); parts != nil {
		return parts[1], parts[2]
	}
	return "", ""
}

// contentHash returns the hash that kustomize puts behind the name of a generated object
// with this content. The name is no part of it. It fails if the object has no content
// of the form that its kind has.
func contentHash(o kube.Object) (string, error) {
	node, err := yaml.FromMap(map[string]any{"kind": o.GetKind()})
	if err != nil {
		return "", err
	}
	data, _, err := unstructured.NestedStringMap(o.Object, "data")
	if err != nil {
		return "", err
	}
	if o.GetKind() == "Secret" {
		err = loadSecret(node, kube.Text(o, "type"), data)
	} else {
		err = loadConfigMap(node, o, data)
	}
	if err != nil {
		return "", err
	}
	return (&hasher.Hasher{}).Hash(node)
}

// loadSecret gives a node the content of a Secret. Kustomize hashes the base64 of a
// value in lines of its own; the API server keeps it in one.
func loadSecret(node *yaml.RNode, kind string, data map[string]string) error {
	if err := node.PipeE(yaml.SetField("type", yaml.NewStringRNode(kind))); err != nil {
		return err
	}
	plain, err := fromBase64(data)
	if err != nil {
		return err
	}
	return node.LoadMapIntoSecretData(plain)
}

func loadConfigMap(node *yaml.RNode, o kube.Object, data map[string]string) error {
	if err := node.LoadMapIntoConfigMapData(data); err != nil {
		return err
	}
	binary, _, err := unstructured.NestedStringMap(o.Object, "binaryData")
	if err != nil {
		return err
	}
	plain, err := fromBase64(binary)
	if err != nil {
		return err
	}
	return node.LoadMapIntoConfigMapBinaryData(plain)
}

// fromBase64 returns values that are in base64, as they are without.
func fromBase64(data map[string]string) (map[string]string, error) {
	plain := map[string]string{}
	for key, value := range data {
		text, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, err
		}
		plain[key] = string(text)
	}
	return plain, nil
}
