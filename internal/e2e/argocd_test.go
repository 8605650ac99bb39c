//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// argoCD is the module that holds the definitions which the examples are checked
// against. It is downloaded for its files, and is no dependency.
const argoCD = "github.com/argoproj/argo-cd/v3@v3.5.7"

// argoCDExamples are in a namespace that not every cluster has.
const argoCDExamples = repository + "/docs/argocd"

// The API server takes the examples by Argo CD's own definitions, field by field.
func TestArgoCDExamples(t *testing.T) {
	c := connect(t)
	defineArgoCD(t)
	namespace := c.newNamespace(t)
	for _, name := range []string{"project.yaml", "application.yaml", "applicationset.yaml"} {
		t.Run(name, func(t *testing.T) {
			example := strings.Replace(readExample(t, name), "\n  namespace: argocd\n", "\n  namespace: "+namespace+"\n", 1)
			dryRun := func(manifest string) (output, error) {
				return run(t, "", manifest, "kubectl", onCluster("apply", "--dry-run=server", "--validate=strict", "-f", "-")...)
			}
			if _, err := dryRun(example); err != nil {
				t.Error("the API server refuses it")
			}
			out, err := dryRun(strings.Replace(example, "\nspec:\n", "\nspec:\n  misspelt: true\n", 1))
			if err == nil || !strings.Contains(out.stderr, `unknown field "spec.misspelt"`) {
				t.Errorf("a misspelt field: error %v, want a refusal", err)
			}
		})
	}
}

// defineArgoCD lets the cluster know Argo CD's kinds for the time of the test. On
// a cluster that knows them already they are left alone.
func defineArgoCD(t *testing.T) {
	t.Helper()
	definitions := filepath.Join(downloadModule(t, argoCD), "manifests", "crds")
	for _, name := range []string{"applications", "applicationsets", "appprojects"} {
		known, err := run(t, "", "", "kubectl", onCluster("get", "crd", name+".argoproj.io", "--ignore-not-found", "--output=name")...)
		if err != nil {
			t.Fatal(err)
		}
		if known.stdout != "" {
			return
		}
	}
	mustKo(t, onCluster("apply", "-k", definitions, "--wait")...)
	t.Cleanup(func() {
		// The context of the test is over by now.
		cmd := exec.Command(koPath(t), onCluster("delete", "-k", definitions)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// downloadModule returns the directory of a module's files.
func downloadModule(t *testing.T, module string) string {
	t.Helper()
	out, err := run(t, t.TempDir(), "", "go", "mod", "download", "-json", module)
	if err != nil {
		t.Skipf("%s cannot be downloaded: %s", module, out.stdout)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal([]byte(out.stdout), &downloaded); err != nil {
		t.Fatal(err)
	}
	return downloaded.Dir
}

// The ApplicationSet makes of pull request 42 just what the Application is.
func TestArgoCDExamplesAgree(t *testing.T) {
	var one, every struct {
		Metadata map[string]any
		Spec     map[string]any
	}
	for name, into := range map[string]any{"application.yaml": &one, "applicationset.yaml": &every} {
		text := strings.ReplaceAll(readExample(t, name), "{{.number}}", "42")
		if err := yaml.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	maps.DeleteFunc(one.Metadata, func(field string, _ any) bool { return field == "namespace" }) // That of the ApplicationSet.
	want := map[string]any{"metadata": one.Metadata, "spec": one.Spec}
	if got := every.Spec["template"]; !reflect.DeepEqual(got, want) {
		t.Errorf("the template of 42 is\n%v\nwant\n%v", got, want)
	}
}

func readExample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(argoCDExamples, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
