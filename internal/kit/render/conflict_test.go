package render_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/render"
)

// A kustomization of several namespaces cannot move to one, if objects have the
// same name there: the error names these, and prints no objects.
func TestNamespaceOfSeveralNamespaces(t *testing.T) {
	object := func(kind, name, namespace string) string {
		text := "---\napiVersion: v1\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n"
		if namespace != "" {
			text += "  namespace: " + namespace + "\n"
		}
		return text
	}
	const rest = "one kustomization moves to one namespace; give each namespace a kustomization of its own"
	twice := object("Namespace", "one", "") + object("Namespace", "two", "")
	for name, test := range map[string]struct {
		files     map[string]string
		namespace string
		want      string
	}{
		"two Namespaces": {map[string]string{"kustomization.yaml": "resources: [all.yaml]\n", "all.yaml": twice}, "team1",
			"--namespace team1: in the one namespace team1 there would be Namespace one and Namespace two with the same name: " + rest},
		"three": {map[string]string{"kustomization.yaml": "resources: [all.yaml]\n", "all.yaml": twice + object("Namespace", "three", "")}, "team1",
			"there would be Namespace one and Namespace two with the same name"},
		"with prefixes": {map[string]string{"kustomization.yaml": "resources: [all.yaml]\nnamePrefix: a-\n", "all.yaml": twice}, "team1",
			"there would be Namespace one and Namespace two with the same name"},
		"two ConfigMaps": {map[string]string{"kustomization.yaml": "resources: [all.yaml]\n",
			"all.yaml": object("ConfigMap", "settings", "one") + object("ConfigMap", "settings", "two")}, "team1",
			"there would be ConfigMap one/settings and ConfigMap two/settings with the same name"},
		"by the kustomization itself": {map[string]string{"kustomization.yaml": "namespace: team1\nresources: [all.yaml]\n", "all.yaml": twice}, "",
			": in the one namespace team1 there would be Namespace one and Namespace two with the same name: " + rest},
		"by its base": {map[string]string{"kustomization.yaml": "resources: [base]\n",
			"base/kustomization.yaml": "namespace: team1\nresources: [all.yaml]\n", "base/all.yaml": twice}, "",
			": in the one namespace team1 there would be Namespace one and Namespace two with the same name"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, test.files)
			_, err := render.Kustomization(filepath.Clean(dir), render.Options{Namespace: test.namespace})
			if err == nil || !strings.Contains(err.Error(), "rendering kustomization "+dir+": ") || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if strings.ContainsAny(err.Error(), `{}"`) {
				t.Errorf("it prints objects: %v", err)
			}
		})
	}
}
