package render

import (
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// remote matches a string that kustomize may load by HTTP, by itself or as the file of a
// generator's key, such as a.txt=https://example.com/a.txt.
var remote = regexp.MustCompile(`(?i)^\s*([^=\s]*=)?\s*https?:`)

// outside says why the result of a kustomization does not depend on local files alone, or
// what else there is than a result; or it returns "".
func outside(kustomization []byte) string {
	var k types.Kustomization
	if err := k.Unmarshal(kustomization); err != nil {
		return "is no kustomization"
	}
	if k.CheckDeprecatedFields() != nil && len(*k.CheckDeprecatedFields()) > 0 {
		return "has fields that kustomize warns of"
	}
	if len(k.Generators)+len(k.Transformers)+len(k.Validators) > 0 {
		return "has plugins, which may load files of other hosts"
	}
	if len(k.HelmCharts)+len(k.HelmChartInflationGenerator) > 0 {
		return "has charts, which helm reads"
	}
	node, err := yaml.Parse(string(kustomization))
	if err != nil {
		return "is no kustomization"
	}
	reason := ""
	walkStrings(node.YNode(), "", func(field string, node *yaml.Node) {
		if field != "literals" && remote.MatchString(node.Value) {
			reason = "names " + strings.TrimSpace(node.Value) + ", which another host may change"
		}
	})
	return reason
}
