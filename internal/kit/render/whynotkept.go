package render

import (
	"encoding/json"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// remote matches a string that kustomize may load by HTTP, by itself or as the file of a
// generator's key, such as a.txt=https://example.com/a.txt.
var remote = regexp.MustCompile(`(?i)(^|=)\s*https?:`)

// whyNotKept says why the result of a kustomization file must not be kept, or returns "".
func whyNotKept(kustomization []byte) string {
	var k types.Kustomization
	switch err := k.Unmarshal(kustomization); {
	case err != nil:
		return "is no kustomization"
	case len(*k.CheckDeprecatedFields()) > 0:
		return "has fields that kustomize warns of"
	case len(k.Generators)+len(k.Transformers)+len(k.Validators) > 0:
		return "has plugins, which may load files of other hosts"
	case len(k.OpenAPI)+len(k.Crds) > 0:
		return "has a schema, which stays for the next one"
	case len(k.SecretGenerator) > 0:
		return "has Secrets"
	}
	if url := urlOf(&k); url != "" {
		return "names " + url + ", where the content may change"
	}
	return ""
}

// urlOf returns a URL that kustomize may load. It looks at all that a kustomization says
// once it is decoded: YAML can write a text in many ways.
func urlOf(k *types.Kustomization) string {
	for i := range k.ConfigMapGenerator {
		k.ConfigMapGenerator[i].LiteralSources = nil // These are values, and often URLs.
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err.Error()
	}
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		return err.Error()
	}
	found := ""
	eachString(decoded, func(text string) {
		if found == "" && remote.MatchString(text) {
			found = strings.TrimSpace(text)
		}
	})
	return found
}

// eachString passes on each string of a decoded JSON value, keys included.
func eachString(value any, pass func(string)) {
	switch v := value.(type) {
	case string:
		pass(v)
	case []any:
		for _, item := range v {
			eachString(item, pass)
		}
	case map[string]any:
		for key, item := range v {
			pass(key)
			eachString(item, pass)
		}
	}
}
